"""The music that comes with the pip package ``music21``: its files are read, the package is not imported."""

from importlib.util import find_spec
from pathlib import Path


def corpus_path(folder: str) -> Path:
    """Where music21 keeps one folder of its music. Errors: FileNotFoundError with the cure."""
    spec = find_spec("music21")
    places = spec.submodule_search_locations if spec else None
    path = Path(places[0], "corpus", folder) if places else None
    if path is None or not path.is_dir():
        raise FileNotFoundError(
            "the music is not installed; `pip install music21` brings it (20 MB), and so does `python3 start.py`"
        )
    return path
