"""Each student's own numbers, and all that is drawn in secret: from the class secret and the student's id."""

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

import numpy

from course_lib.grading.problem import ProblemSet

LENGTH = 32  # bytes: as many as HMAC-SHA256 can use


class SecretError(ValueError):
    """The file with the class secret cannot be used; the message says why and what to do."""


def student_rng(secret: bytes, student: str, purpose: str) -> numpy.random.Generator:
    """The random numbers of a student for a purpose, such as "variant/ps1": the same at every call.

    Equation: seed = HMAC-SHA256(secret, purpose/student). Nobody without the secret can draw them.
    Errors: SecretError for a secret that is too short.
    """
    if len(secret) < LENGTH:
        raise SecretError(
            f"secret has {len(secret)} bytes; it must have at least {LENGTH} random ones: read_secret(path)"
        )
    digest = hmac.new(secret, f"{purpose}/{student}".encode(), hashlib.sha256).digest()
    return numpy.random.default_rng(int.from_bytes(digest, "big"))


def variant_of(problems: ProblemSet, secret: bytes, student: str) -> dict[str, object]:
    """A student's own numbers in a problem set, as they stand in variant.json.

    Errors: TypeError for a problem set whose variant cannot be written as JSON.
    """
    drawn = dict(problems.variant(student_rng(secret, student, f"variant/{problems.name}")))
    return json.loads(json.dumps(drawn))  # what the student reads: lists for tuples


def read_secret(path: Path) -> bytes:
    """The class secret. Errors: SecretError for no file, one that others may read, one that is short or not random."""
    if not path.is_file():
        raise SecretError(
            f"there is no secret file {path}; name yours with --secret-file, or have one made by the build "
            "command with --make-secret, once for the whole class"
        )
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise SecretError(f"{path} can be read by others; run: chmod 600 {path}")
    secret = path.read_bytes()
    if len(secret) < LENGTH:
        raise SecretError(f"{path} has {len(secret)} bytes; a secret has at least {LENGTH} random ones; make a new one")
    if len(set(secret)) < LENGTH // 4:
        raise SecretError(f"{path} holds {len(set(secret))} different bytes, which is not random; make a new one")
    return secret


def make_secret(path: Path) -> bytes:
    """Write a new class secret that only its owner may read.

    Errors: SecretError if the file is there: another secret would change every student's numbers.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SecretError(
            f"{path} is there already, and a new secret would change every student's numbers; use it, or name another"
        ) from None
    secret = secrets.token_bytes(LENGTH)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    return secret
