"""The catalogue of data sets: whole, and in agreement with the files that are here."""

import os

import pytest

from course_lib.data import catalogue, download
from course_lib.data.download import DataMissing

OWN = os.environ.get("COURSE_DATA", "")


def test_the_catalogue_is_complete():
    for source in catalogue.SOURCES:
        assert source.licence
        assert source.purpose
        for file in source.files:
            assert file.url.startswith("https://")
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.size > 10_000


@pytest.mark.parametrize("source", catalogue.SOURCES, ids=lambda source: source.name)
def test_the_catalogue_agrees_with_the_files_that_are_here(source, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", OWN)
    try:
        folder = download.find(source.name)
    except DataMissing:
        pytest.skip("not here")
    for file in source.files:
        if (folder / file.name).is_file():
            assert download._is_whole(folder, file)
            assert download._sum(folder / file.name) == file.sha256
