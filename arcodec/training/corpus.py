"""Files, folders, globs and .zst shards -> documents to learn from.

A source is one array of bytes, its documents separated by one zero byte.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import UsageError

SEPARATOR = b"\0"


@dataclass(frozen=True)
class Source:
    """Documents of one kind."""

    name: str
    symbols: np.ndarray  # (n,) uint8
    weight: float  # share of the training stream, relative to the other sources'


def parse(argument: str) -> tuple[str, float | None]:
    """``PATH`` or ``PATH=WEIGHT`` -> (path, weight or None).

    Raises UsageError if the weight is not a positive number.
    """
    path, equals, weight = argument.rpartition("=")
    if not equals or Path(argument).exists():
        return argument, None
    try:
        share = float(weight)
    except ValueError:
        raise UsageError(f"{argument}: {weight!r} is not a number; write PATH=WEIGHT") from None
    if not share > 0:
        raise UsageError(f"{argument}: the weight must be above 0")
    return path, share


def files(path: str) -> list[Path]:
    """All files a path names: itself, those below a folder, or a glob's matches; sorted.

    Raises UsageError if there is none.
    """
    if Path(path).is_dir():
        found = [p for p in Path(path).rglob("*") if p.is_file()]
    elif Path(path).is_file():
        found = [Path(path)]
    else:
        found = [Path(p) for p in glob.glob(path, recursive=True) if Path(p).is_file()]
    if not found:
        raise UsageError(f"{path}: no such file, no such folder, and no file matches it as a pattern")
    return sorted(found)


def read(path: Path) -> bytes:
    """A file's content, decompressed if it ends in .zst."""
    data = path.read_bytes()
    if path.suffix != ".zst":
        return data
    try:
        import zstandard
    except ImportError:
        raise UsageError(f"{path}: reading .zst needs the package zstandard (pip install arcodec[train])") from None
    parts = []
    while data:  # a file may hold several frames
        frame = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
        try:
            parts.append(frame.decompress(data))
        except zstandard.ZstdError as error:
            raise UsageError(f"{path}: not a zstd file: {error}") from None
        if not frame.eof:
            raise UsageError(f"{path}: the file is cut off")
        data = frame.unused_data
    return b"".join(parts)


def load(argument: str) -> Source:
    """One source from ``PATH`` or ``PATH=WEIGHT``; without a weight it counts by its size.

    Raises UsageError if nothing is there.
    """
    path, weight = parse(argument)
    joined = SEPARATOR.join(read(file) for file in files(path))
    if not joined:
        raise UsageError(f"{path}: nothing in it")
    symbols = np.frombuffer(joined, np.uint8)
    return Source(Path(path).name or path, symbols, len(symbols) / 1e6 if weight is None else weight)


def with_crlf(sources: Sequence[Source], share: float) -> list[Source]:
    """The sources, and a twin of each whose lines end in CR LF; the twins make up ``share`` of the stream.

    Shards are usually kept with LF alone, and a network that never saw a CR pays dearly for each. Sources that have CR
    already, or no lines, get no twin.
    """
    if not share:
        return list(sources)
    result = []
    for source in sources:
        text = source.symbols.tobytes()
        if b"\r\n" in text[: 1 << 20] or b"\n" not in text:
            result.append(source)
            continue
        twin = np.frombuffer(text.replace(b"\n", b"\r\n"), np.uint8)
        result.append(replace(source, weight=source.weight * (1 - share)))
        result.append(Source(f"{source.name}-crlf", twin, source.weight * share))
    return result
