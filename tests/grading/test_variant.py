"""The class secret and what is drawn from it."""

import hashlib
import hmac
import os

import numpy
import pytest

from course_lib.grading.problem import ProblemSet
from course_lib.grading.variant import SecretError, make_secret, read_secret, student_rng, variant_of

SECRET = bytes(range(32))


def numbers(secret=SECRET, student="ada", purpose="variant/ps1"):
    return student_rng(secret, student, purpose).integers(0, 2**32, 8).tolist()


def toy(draw):
    return ProblemSet("toy", "a toy", (), draw)


def test_the_seed_is_the_hmac_of_purpose_and_student():
    digest = hmac.new(SECRET, b"variant/ps1/ada", hashlib.sha256).digest()
    expected = numpy.random.default_rng(int.from_bytes(digest, "big")).integers(0, 2**32, 8).tolist()
    assert numbers() == expected == numbers()


def test_another_secret_student_or_purpose_draws_other_numbers():
    others = (numbers(bytes(32)[:-1] + b"x"), numbers(student="bob"), numbers(purpose="judge/ps1/0"), numbers())
    assert len({tuple(each) for each in others}) == 4


def test_a_short_secret_draws_nothing():
    with pytest.raises(SecretError, match="secret has 31 bytes; it must have at least 32"):
        numbers(SECRET[:31])


def test_a_variant_is_what_the_student_will_read():
    drawn = variant_of(toy(lambda rng: {"pair": (1, 2.5), "one": int(rng.integers(9))}), SECRET, "ada")
    assert drawn["pair"] == [1, 2.5]
    assert drawn == variant_of(toy(lambda rng: {"pair": (1, 2.5), "one": int(rng.integers(9))}), SECRET, "ada")


def test_a_variant_that_json_cannot_hold_is_the_authors_mistake():
    with pytest.raises(TypeError, match="not JSON serializable"):
        variant_of(toy(lambda rng: {"n": rng.integers(9)}), SECRET, "ada")


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "new" / "secret.key"
    secret = make_secret(path)
    assert len(secret) == 32
    assert read_secret(path) == secret
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SecretError, match="is there already, and a new secret would change every student's numbers"):
        make_secret(path)
    assert read_secret(path) == secret


def test_secrets_differ(tmp_path):
    assert make_secret(tmp_path / "a") != make_secret(tmp_path / "b")


@pytest.mark.parametrize(
    ("data", "mode", "said"),
    [
        (None, 0, "there is no secret file"),
        (SECRET[:20], 0o600, r"has 20 bytes; a secret has at least 32 random ones"),
        (b"a" * 64, 0o600, "holds 1 different bytes, which is not random"),
        pytest.param(
            SECRET,
            0o640,
            "can be read by others; run: chmod 600",
            marks=pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX"),
        ),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused(tmp_path, data, mode, said):
    path = tmp_path / "secret.key"
    if data is not None:
        path.write_bytes(data)
        path.chmod(mode)
    with pytest.raises(SecretError, match=said):
        read_secret(path)


def test_a_longer_secret_of_any_bytes_is_read_whole(tmp_path):
    path = tmp_path / "secret.key"
    path.write_bytes(b"\n" + SECRET + b" \n")
    path.chmod(0o600)
    assert read_secret(path) == b"\n" + SECRET + b" \n"
