"""From a source to a target: what ``compress`` and ``decompress`` do alike around the work itself."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from arcodec.errors import UsageError
from arcodec.files import replacing

from .pipe import to_stdout

STDIN = "-"
SUFFIX = ".arc"


@dataclass(frozen=True)
class Where:
    """The options that say where results go and what becomes of the sources."""

    target: str | None
    to_stdout: bool
    keep: bool
    remove: bool
    force: bool
    recursive: bool

    def writes_stdout(self, name: str) -> bool:
        """Whether the result of this input goes to standard output."""
        return self.target == STDIN or (self.target is None and (self.to_stdout or name == STDIN))

    def check(self, names: list[str]) -> None:
        """Raise UsageError for options that contradict each other."""
        if self.target is not None and (self.to_stdout or len(names) > 1 or self.recursive):
            raise UsageError("-o names one output: give one input with it, and neither -c nor -r")
        if self.remove and (self.to_stdout or self.keep):
            raise UsageError("--rm removes sources: it excludes -c and -k")


def packed(names: Iterable[str], recursive: bool) -> list[str]:
    """The inputs; if ``recursive``, a folder stands for the .arc files in it."""
    return _inputs(names, recursive, packed=True)


def unpacked(names: Iterable[str], recursive: bool) -> list[str]:
    """The inputs; if ``recursive``, a folder stands for the files in it that are no .arc files."""
    return _inputs(names, recursive, packed=False)


def _inputs(names: Iterable[str], recursive: bool, packed: bool) -> list[str]:
    found: list[str] = []
    for name in names:
        if recursive and name != STDIN and Path(name).is_dir():
            inside = (p for p in Path(name).rglob("*") if p.is_file() and not p.is_symlink())
            found += sorted(str(p) for p in inside if (p.suffix == SUFFIX) == packed)
        else:
            found.append(name)
    return found


def read(name: str) -> tuple[bytes, os.stat_result | None]:
    """A source's content and status (none for standard input). Raises UsageError for a folder."""
    status = status_of(name)
    return (sys.stdin.buffer.read() if status is None else Path(name).read_bytes()), status


def status_of(name: str) -> os.stat_result | None:
    """A source's status (none for standard input). Raises UsageError for a folder and for an empty name."""
    if name == STDIN:
        return None
    if not name:
        raise UsageError("a FILE has an empty name")
    status = os.stat(name)
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{name} is a folder: compress, decompress, test and list take the files in it with -r")
    return status


def write(
    name: str,
    where: Where,
    target_for: Callable[[Path], Path],
    status: os.stat_result | None,
    parts: Iterable[bytes],
) -> Path | None:
    """Write parts to where the options say, and remove the source if they say so; the file written, if it is one."""
    if where.writes_stdout(name):
        for part in parts:
            to_stdout(part)
        return None
    target = Path(where.target) if where.target is not None else target_for(Path(name))
    if where.remove and target.exists() and not target.is_file():
        raise UsageError(f"{target} keeps nothing: --rm would lose {name}")
    if name != STDIN and target.exists() and target.samefile(name):
        raise UsageError(f"{name} would be overwritten with its own result: give another name with -o")
    with replacing(target, where.force, status) as file:
        for part in parts:
            file.write(part)
    if where.remove and name != STDIN:
        _remove(name, status)
    return target


def _remove(name: str, status: os.stat_result | None) -> None:
    """Remove a source, unless it is no longer what was read."""
    now = os.stat(name)
    if status is None or (now.st_ino, now.st_size, now.st_mtime_ns) != (
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
    ):
        raise UsageError(f"{name} changed while it was worked on: it is kept, and the result is of what it was before")
    os.unlink(name)


def refuse_early(name: str, where: Where, target_for: Callable[[Path], Path]) -> None:
    """Say at once, before minutes of work, that the source is no file or the target exists."""
    status_of(name)
    if where.writes_stdout(name):
        return
    target = Path(where.target) if where.target is not None else target_for(Path(name))
    if target.is_dir():
        raise UsageError(f"{target} is a folder: name a file")
    if not where.force and os.path.lexists(target):
        raise UsageError(f"{target} exists: give -f to overwrite it, or -o for another name")
