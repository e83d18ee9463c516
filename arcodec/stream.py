"""``arcodec.open``: .arc files as Python files, in the manner of ``lzma.open``."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from pathlib import Path
from typing import Any, Literal, overload

from . import blocks, codec, container
from .errors import LimitError, UsageError
from .files import replacing
from .predictor import Resources


class _BlockReader(io.RawIOBase):
    """Reads any part of an .arc file, decoding only the blocks it needs and keeping the last."""

    def __init__(self, path: Path, model: str | None, max_output_size: int | None, max_memory: int | None) -> None:
        self._model = model
        self._resources = Resources(threads=1, max_memory=max_memory)
        self._members = list(container.members(path.read_bytes()))
        self._starts = [0]
        self._places: list[tuple[container.Member, int]] = []
        for member in self._members:
            for block in range(member.header.blocks):
                self._places.append((member, block))
                self._starts.append(self._starts[-1] + member.header.symbols(block))
        if max_output_size is not None and self._starts[-1] > max_output_size:
            raise LimitError(f"{path} holds {self._starts[-1]:,} bytes, more than the {max_output_size:,} allowed")
        self._at = 0
        self._kept = -1
        self._content = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}
        if whence not in bases:
            raise ValueError(f"whence {whence}: expected 0, 1 or 2")
        base = bases[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._starts[-1]:
            return 0
        place = bisect_right(self._starts, self._at) - 1
        if place != self._kept:
            member, block = self._places[place]
            one = member.blocks[block : block + 1]
            engine = blocks.engine_of(member.header, one, self._resources, self._model)
            self._content = next(blocks.decoded_blocks(member.header, one, engine, first=block))
            self._kept = place
        view = memoryview(buffer).cast("B")
        start = self._at - self._starts[place]
        part = self._content[start : start + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)


class _Writer(io.BytesIO):
    """Collects what is written; closing compresses it and puts the file in place. An exception leaves no file."""

    def __init__(self, path: Path, model: str | None, preset: str, max_memory: int | None, overwrite: bool) -> None:
        super().__init__()
        if not overwrite and os.path.lexists(path):
            raise FileExistsError(f"{path} exists")
        self._path, self._overwrite = path, overwrite
        self._model, self._preset, self._max_memory = model, preset, max_memory
        self._spoilt = False

    def __exit__(self, kind: Any, *rest: Any) -> None:
        self._spoilt = kind is not None
        super().__exit__(kind, *rest)

    def __del__(self) -> None:
        self._spoilt = True  # given up, not closed
        super().close()

    def readable(self) -> bool:
        return False

    def close(self) -> None:
        if self.closed:
            return
        try:
            if not self._spoilt:
                content = codec.compress(self.getvalue(), self._model, preset=self._preset, max_memory=self._max_memory)
                with replacing(self._path, self._overwrite) as file:
                    file.write(content)
        finally:
            super().close()


class ArcFile(io.BufferedReader):
    """An .arc file opened for reading; seekable by blocks."""


class _ArcText(io.TextIOWrapper):
    """Text over a writer that must learn of exceptions, and of being given up."""

    def __del__(self) -> None:
        if isinstance(self.buffer, _Writer):
            self.buffer._spoilt = True

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is not None and isinstance(self.buffer, _Writer):
            self.buffer._spoilt = True
        super().__exit__(kind, *rest)


@overload
def open(
    path: str | os.PathLike[str],
    mode: Literal["rb", "r", "wb", "w", "xb", "x"] = "rb",
    *,
    model: str | None = None,
    preset: str = "default",
    max_output_size: int | None = None,
    max_memory: int | None = None,
) -> io.BufferedIOBase: ...
@overload
def open(
    path: str | os.PathLike[str],
    mode: Literal["rt", "wt", "xt"],
    *,
    model: str | None = None,
    preset: str = "default",
    encoding: str = "utf-8",
    errors: str | None = None,
    newline: str | None = None,
    max_output_size: int | None = None,
    max_memory: int | None = None,
) -> io.TextIOWrapper: ...
def open(
    path: str | os.PathLike[str],
    mode: str = "rb",
    *,
    model: str | None = None,
    preset: str = "default",
    encoding: str = "utf-8",
    errors: str | None = None,
    newline: str | None = None,
    max_output_size: int | None = None,
    max_memory: int | None = None,
) -> io.BufferedIOBase | io.TextIOWrapper:
    """Open an .arc file: ``rb``, ``wb`` and ``xb`` for bytes (also without the b), ``rt``, ``wt`` and ``xt`` for text.

    Reading decodes block by block and can seek. Writing collects everything, and closing puts the file in place; if the
    block of a ``with`` ends in an exception, or the file is never closed, no file is written.

    model: name or path; for writing, as for ``compress``; for reading, where the file's own is not at hand.
    preset: for writing: ``fast``, ``default`` or ``best``.
    max_memory: as for ``compress``.
    max_output_size: for reading. Each block is checked, but not the whole (``decompress`` does that).

    Raises UsageError for another mode, FileExistsError for ``x`` if the file exists, and what ``compress`` and
    ``decompress`` raise.
    """
    kind, text = mode[:1], mode[1:] == "t"
    if mode not in {k + t for k in "rwx" for t in ("", "b", "t")}:
        raise UsageError(f"mode {mode!r}: expected r, w or x, then b, t or nothing")
    where = Path(path)
    if kind == "r":
        reader = ArcFile(_BlockReader(where, model, max_output_size, max_memory))
        return io.TextIOWrapper(reader, encoding, errors, newline) if text else reader
    if not where.parent.is_dir():
        raise FileNotFoundError(f"{where.parent}: no such folder")
    writer = _Writer(where, model, preset, max_memory, overwrite=kind == "w")
    return _ArcText(writer, encoding, errors, newline) if text else writer
