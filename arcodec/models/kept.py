"""Models that younger ones replaced, kept as what they differ in, so that what they wrote can still be read.

A file NAME.kept is a line of JSON, which names the sha-256 of the model's own file and of the younger one's, and behind
it a zlib stream: the header of the model's file, and its tensors less those of the same name, type and shape in the
younger one. Training moves most numbers of a table by a step or not at all, so that takes a third to four fifths of the
room. What comes out is the model's file to the last byte, or nothing.

    python -m arcodec.models.kept OLD.safetensors YOUNGER.safetensors     # writes OLD.kept beside OLD
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..files import replacing

SUFFIX = ".kept"
FORMAT = "arcodec-kept-1"
_LARGEST = 1 << 27  # bytes of a model's file
_LONGEST_LINE = 1 << 10
_SHA256 = re.compile("[0-9a-f]{64}")
_PACKED = "U8"  # tensors of this type are rows of packed codes: their halves of a byte differ by little, not the bytes


def keep(old: bytes, younger: bytes) -> bytes:
    """The content of the .kept file that stands for a model's file, beside a younger model's file."""
    identity, other = (hashlib.sha256(content).hexdigest() for content in (old, younger))
    about = {"format": FORMAT, "identity": identity, "younger": other}
    header, tensors = _parts(old)
    theirs = _parts(younger)[1]
    body = [_shifted(np.subtract, what[1], data, theirs.get(what)) for what, data in tensors.items()]
    packing = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)  # the numbers hardly ever repeat
    stream = packing.compress(header) + b"".join(map(packing.compress, body)) + packing.flush()
    return json.dumps(about, sort_keys=True).encode() + b"\n" + stream


def identity_of(path: Path) -> str:
    """The sha-256 of the model's file that a .kept file stands for; empty if it does not say."""
    with path.open("rb") as file:
        try:
            return _about(path, file.readline(_LONGEST_LINE))["identity"]
        except ModelError:
            return ""


def restored(path: Path, content: bytes, younger: Callable[[str], bytes]) -> bytes:
    """The model's file that a .kept file of this content stands for. younger: from a sha-256 to the model's file.

    Raises ModelError if it is damaged, and what ``younger`` raises.
    """
    line, _, stream = content.partition(b"\n")
    about = _about(path, line)
    theirs = younger(about["younger"])
    try:
        header, tensors = _parts(zlib.decompressobj().decompress(stream, _LARGEST))
        known = _parts(theirs)[1]
        body = [_shifted(np.add, what[1], data, known.get(what)) for what, data in tensors.items()]
    except (zlib.error, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path} is damaged: {error}") from None
    whole = header + b"".join(body)
    if hashlib.sha256(whole).hexdigest() != about["identity"]:
        raise ModelError(f"{path} is damaged: what it stands for has another sha-256")
    return whole


def _about(path: Path, line: bytes) -> dict[str, str]:
    try:
        about = json.loads(line)
        whole = about["format"] == FORMAT and all(_SHA256.fullmatch(about[name]) for name in ("identity", "younger"))
    except (ValueError, LookupError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise ModelError(f"{path} is not a kept model: expected format {FORMAT}")
    return {name: about[name] for name in ("identity", "younger")}


def _parts(content: bytes) -> tuple[bytes, dict[tuple[str, str, tuple[int, ...]], bytes]]:
    """Of a safetensors file: all before its tensors, and they by name, type and shape, in the order of the file.

    Raises ValueError and its like unless they fill the file.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    about: dict[str, Any] = json.loads(content[8:start])
    places = sorted(
        (a["data_offsets"], name, a["dtype"], tuple(a["shape"])) for name, a in about.items() if name != "__metadata__"
    )
    ends = [0, *(stop for (_, stop), *_ in places)]
    if [first for (first, _), *_ in places] != ends[:-1] or start + ends[-1] != len(content):
        raise ValueError("its tensors do not fill it")
    cuts = pairwise(start + end for end in ends)
    return content[:start], {place[1:]: content[a:b] for place, (a, b) in zip(places, cuts, strict=True)}


def _shifted(shift: np.ufunc, kind: str, ours: bytes, theirs: bytes | None) -> bytes:
    """A tensor plus or minus that of the younger model, modulo 256 or half by half; as it is if there is none."""
    if theirs is None:
        return ours
    one, other = (np.frombuffer(part, np.uint8) for part in (ours, theirs))
    if kind != _PACKED:
        return bytes(shift(one, other))
    return bytes(shift(one & 15, other & 15) & 15 | shift(one >> 4, other >> 4) << 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command above."""
    parser = argparse.ArgumentParser(prog="python -m arcodec.models.kept", description="Keep what a model differs in.")
    parser.add_argument("old", type=Path, help="the file of a model that a younger one replaced")
    parser.add_argument("younger", type=Path, help="the file of that one")
    given = parser.parse_args(arguments)
    old, younger, path = given.old.read_bytes(), given.younger.read_bytes(), given.old.with_suffix(SUFFIX)
    content = keep(old, younger)
    if restored(path, content, lambda identity: younger) != old:
        raise ModelError(f"{given.old} would not come back from {path}")
    with replacing(path, overwrite=True) as file:
        file.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
