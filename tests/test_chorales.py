"""Piano rolls of chorales: counts of the installed and the published sets, the likelihood by hand."""

import builtins
import itertools
import sys
from fractions import Fraction

import numpy
import pytest
import torch
from torch import nn

from course_lib.data import chorales, corpus, musicxml
from course_lib.data.chorales import KEYS, chorale_loss, negative_log_likelihood
from course_lib.data.download import DataMissing, find
from course_lib.data.musicxml import Note

# rolls


def test_a_roll_samples_each_quarter_and_ends_on_c():
    half = Fraction(1, 2)
    upper = [Note(0, half, 74), Note(half, 2, 76), Note(2, 4, 69)]
    lower = [Note(0, 1, 50), Note(1, 1 + half, 52), Note(1 + half, 2, 53), Note(2, 4, 50)]
    sounding = [sorted(frame.nonzero().flatten().tolist()) for frame in chorales.roll([upper, lower])]
    down = 50 - 48 + 21  # the last bass note, 50, becomes 48
    assert sounding == [[50 - down, 74 - down], [52 - down, 76 - down], [50 - down, 69 - down], [50 - down, 69 - down]]


@pytest.mark.parametrize("bass", range(40, 56))
def test_the_nearest_c_is_at_most_half_an_octave_away(bass):
    [frame] = chorales.roll([[Note(0, 1, bass)]])
    midi = frame.argmax().item() + 21
    assert midi % 12 == 0
    assert abs(midi - bass) <= 6


def test_no_notes_make_no_roll():
    with pytest.raises(ValueError, match="no notes"):
        chorales.roll([[]])


@pytest.fixture(scope="module")
def pieces():
    """A fifth of each split's size, which takes a second; the whole takes ten."""
    sizes = {"train": 42, "valid": 14, "test": 16}
    return {split: chorales.load("music21", split, number) for split, number in sizes.items()}


def test_the_installed_chorales_are_rolls_of_up_to_four_voices(pieces):
    everything = [piece for some in pieces.values() for piece in some]
    assert {value for piece in everything for value in piece.unique().tolist()} == {0.0, 1.0}
    assert all(1 <= piece.sum(1).max() <= 4 for piece in everything)
    bass = torch.stack([piece[-1] for piece in everything]).argmax(1)
    assert ((bass + 21) % 12 == 0).float().mean() > 0.97  # some end with an earlier note held


def test_splits_are_fifths_and_share_no_file():
    files = {split: chorales._scores(split) for split in chorales.SPLITS}
    everything = [path for some in files.values() for path in some]
    assert len(set(everything)) == len(everything) > 400
    assert len(files["train"]) == pytest.approx(0.6 * len(everything), rel=0.05)
    assert len(files["valid"]) == pytest.approx(len(files["test"]), rel=0.2)
    homes = {path.name.partition("-")[0]: split for split, some in files.items() for path in some}
    assert all(homes[path.name.partition("-")[0]] == split for split, some in files.items() for path in some)


def test_no_piece_appears_twice(pieces):
    seen = [piece.to(torch.uint8).numpy().tobytes() for some in pieces.values() for piece in some]
    assert len(set(seen)) == len(seen)


def test_music21_itself_is_not_imported(pieces):
    assert "music21" not in sys.modules


def test_a_few_pieces_are_the_first_and_no_more_are_read(pieces, monkeypatch):
    chorales._chorale.cache_clear()
    read, asked = musicxml.read, []
    monkeypatch.setattr(musicxml, "read", lambda path: asked.append(path) or read(path))
    few = chorales.load("music21", "train", 4)
    assert all(torch.equal(one, other) for one, other in zip(few, pieces["train"], strict=False))
    assert 4 <= len(asked) < 10


def test_rolls_follow_the_default_dtype(pieces):
    assert pieces["test"][0].dtype == torch.float32 or torch.get_default_dtype() == torch.float64
    torch.set_default_dtype(torch.float32)
    assert chorales.load("music21", "test", 1)[0].dtype == torch.float32


@pytest.mark.parametrize(
    "arguments", [("bach", "train"), ("music21", "all"), ("music21", "train", 0), ("music21", "test", 17)]
)
def test_wrong_names_splits_and_numbers_are_refused(arguments, monkeypatch):
    few = chorales._scores("test")[:16]
    monkeypatch.setattr(chorales, "_scores", lambda split: few)
    with pytest.raises(ValueError, match="must be"):
        chorales.load(*arguments)


def test_missing_music21_names_the_cure(monkeypatch):
    monkeypatch.setattr(corpus, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install music21"):
        corpus.corpus_path("bach")


# downloads


@pytest.mark.parametrize("name", ["jsb", "nottingham"])
def test_a_missing_download_names_the_command(name, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    chorales._downloaded.cache_clear()
    with pytest.raises(DataMissing, match=f"course data get {chorales.DOWNLOADS[name][0]}$"):
        chorales.load(name, "train")


def test_a_folder_without_the_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "jsb_chorales").mkdir()
    (tmp_path / "jsb_chorales" / "notes.txt").touch()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    chorales._downloaded.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"JSB_Chorales\.mat is not there"):
        chorales.load("jsb", "train")


def test_a_damaged_download_is_named_with_the_cure(tmp_path, monkeypatch):
    (tmp_path / "jsb_chorales").mkdir()
    (tmp_path / "jsb_chorales" / "JSB_Chorales.mat").write_bytes(bytes(500))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    chorales._downloaded.cache_clear()
    with pytest.raises(ValueError, match=r"JSB_Chorales\.mat is damaged .* course data get jsb_chorales"):
        chorales.load("jsb", "train")


def own(tmp_path, monkeypatch, **content):
    from scipy.io import savemat

    (tmp_path / "jsb_chorales").mkdir()
    savemat(tmp_path / "jsb_chorales" / "JSB_Chorales.mat", content)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    chorales._downloaded.cache_clear()


def rolls(*lengths):
    made = numpy.empty((1, len(lengths)), dtype=object)
    for i, length in enumerate(lengths):
        made[0, i] = numpy.eye(length, KEYS)
    return made


def test_a_mat_file_is_read_split_by_split(tmp_path, monkeypatch):
    own(tmp_path, monkeypatch, traindata=rolls(3, 5), validdata=rolls(2), testdata=rolls(4, 7))
    assert [len(piece) for piece in chorales.load("jsb", "train")] == [3, 5]
    assert [len(piece) for piece in chorales.load("jsb", "test")] == [4, 7]
    assert torch.equal(chorales.load("jsb", "valid", 1)[0], torch.eye(2, KEYS))


def test_missing_scipy_names_the_cure(tmp_path, monkeypatch):
    own(tmp_path, monkeypatch, traindata=rolls(3))
    usual = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("scipy"):
            raise ModuleNotFoundError("No module named 'scipy'", name="scipy")
        return usual(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(FileNotFoundError, match="pip install scipy"):
        chorales.load("jsb", "train")


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("jsb", {"train": (229, 13807), "valid": (76, 4602), "test": (77, 4725)}),
        ("nottingham", {"train": (694, 176561), "valid": (173, 45513), "test": (170, 44463)}),
    ],
)
def test_the_published_sets_have_their_counts(name, counts):
    chorales._downloaded.cache_clear()
    try:
        find(chorales.DOWNLOADS[name][0])
    except DataMissing:
        pytest.skip("not here")
    for split, (number, frames) in counts.items():
        pieces = chorales.load(name, split)
        assert (len(pieces), sum(map(len, pieces))) == (number, frames)


# batches and likelihood


class Copy(nn.Module):
    """Scores that depend on the frame alone, and on lengths not at all."""

    def __init__(self, factor=3.0, less=1.0):
        super().__init__()
        self.factor, self.less = nn.Parameter(torch.tensor(factor, dtype=torch.float64)), less

    def forward(self, x, lengths=None):
        return self.factor * x - self.less


SOME = [torch.eye(length, KEYS, dtype=torch.float64) for length in (5, 2, 9, 4)]


def test_batches_predict_the_next_frame_and_pad_little():
    first, second = chorales.batches(SOME, 3)
    assert first.lengths.tolist() == [1, 3, 4]
    assert second.lengths.tolist() == [8]
    assert torch.equal(first.x[:3, 1], SOME[3][:3])
    assert torch.equal(first.y[:3, 1], SOME[3][1:])
    assert (first.x[3:, 1] == 0).all()


@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_the_likelihood_pools_all_frames_whatever_the_batches(batch_size):
    nats, frames = 0.0, 0
    for piece in SOME:
        for before, after in itertools.pairwise(piece):
            p = 1 / (1 + (1 - 3 * before).exp())
            nats -= (after * p.log() + (1 - after) * (1 - p).log()).sum().item()
            frames += 1
    assert frames == 16
    measured = negative_log_likelihood(Copy(), chorales.batches(SOME, batch_size))
    assert measured == pytest.approx(nats / frames, rel=1e-12)


def test_the_loss_of_one_batch_is_its_likelihood_and_has_a_gradient():
    model, [batch] = Copy(), chorales.batches(SOME, 4)
    loss = chorale_loss(model, batch)
    assert loss.item() == pytest.approx(negative_log_likelihood(model, [batch]), rel=1e-12)
    loss.backward()
    assert model.factor.grad.abs() > 0


def test_a_coin_for_every_key_costs_88_bits():
    nats = negative_log_likelihood(Copy(0.0, 0.0), chorales.batches(SOME, 2))
    assert nats == pytest.approx(KEYS * torch.tensor(2.0).log().item())


def test_what_makes_no_batch_is_refused():
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        chorales.batches(SOME, 0)
    with pytest.raises(ValueError, match="two frames"):
        chorales.batches([torch.eye(1, KEYS)], 1)
    with pytest.raises(ValueError, match="batches is empty"):
        negative_log_likelihood(Copy(), [])
