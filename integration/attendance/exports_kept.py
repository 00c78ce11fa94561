"""A file between two pages: the browser keeps it, sealed; we keep nothing. Pure.

What travels is bound to the program and to who uploaded it, so that a seal opens nothing elsewhere.
"""

from __future__ import annotations

import base64
import json
import zlib

from integration.attendance.exports_file import LARGEST_BYTES
from integration.errors import InputRefused
from integration.language import lazy
from integration.sealing import sealed, unsealed

PURPOSE = "attendance export"
LARGEST_SEAL = 400_000  # characters of a form


def sealed_file(content: bytes, *, program_id: int, by: str, secret_key: str) -> str:
    """The file as a form can carry it; raises InputRefused where it does not fit."""
    packed = base64.b64encode(zlib.compress(content, 9)).decode("ascii")
    seal = sealed(json.dumps([program_id, by, packed]), purpose=PURPOSE, secret_key=secret_key)
    if len(seal) > LARGEST_SEAL:
        raise InputRefused(
            lazy("This file is larger than %(n)s kB.", n=LARGEST_BYTES // 1024),
            remedy=lazy("Attendance exports of pods are smaller: choose the file that Teams wrote for one meeting."),
        )
    return seal


def unsealed_file(seal: str, *, program_id: int, by: str, secret_key: str) -> bytes:
    """The file again; raises InputRefused when it is not one that this person uploaded for this program."""
    text = unsealed(seal, purpose=PURPOSE, secret_key=secret_key)
    if text is None:
        raise _lost()
    kept_program, kept_by, packed = json.loads(text)
    if (kept_program, kept_by) != (program_id, by):
        raise _lost()
    return zlib.decompress(base64.b64decode(packed))


def _lost() -> InputRefused:
    return InputRefused(lazy("The file is not there any more."), remedy=lazy("Choose it again."))
