"""Writing files so that a crash, a full disk or a signal leaves either the old one or the new one."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import UsageError

_unfinished: set[str] = set()


@contextmanager
def replacing(target: Path, overwrite: bool, like: os.stat_result | None = None) -> Iterator[BinaryIO]:
    """A file to write; when the block ends well it becomes ``target``, otherwise nothing remains of it.

    overwrite: whether ``target`` may exist already. like: copy mode and times from this status.

    Raises UsageError if the target exists and may not be overwritten.
    """
    if target.is_dir():
        raise UsageError(f"{target} is a folder: name a file")
    if not overwrite and os.path.lexists(target):
        raise UsageError(f"{target} exists: give -f to overwrite it, or -o for another name")
    target = Path(os.path.realpath(target))  # what a link points to is replaced, not the link
    if target.exists() and not target.is_file():  # a device or a pipe is written to, not replaced
        with target.open("wb") as file:
            yield file
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(target.parent))
    name = os.path.join(target.parent, f".arcodec-{secrets.token_hex(8)}.part")
    _unfinished.add(name)  # before it exists, so that no signal can come between
    try:
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if like is not None:
            os.chmod(name, like.st_mode & 0o777)  # never setuid: the owner is not copied
            os.utime(name, ns=(like.st_atime_ns, like.st_mtime_ns))
        elif target.exists():
            os.chmod(name, target.stat().st_mode & 0o777)
        else:
            os.chmod(name, 0o666 & ~_umask())
        if overwrite:
            os.replace(name, target)
        else:
            _place_new(name, target)
        _sync_folder(target.parent)
    except BaseException:
        if os.path.lexists(name):
            os.unlink(name)
        raise
    finally:
        _unfinished.discard(name)


def discard_unfinished() -> None:
    """Remove every file that is being written: for a process that ends without unwinding its stack."""
    for name in list(_unfinished):  # which another thread may change
        with suppress(OSError):
            os.unlink(name)


def _place_new(name: str, target: Path) -> None:
    """Rename without overwriting what another process made in the meantime, where the file system has links."""
    try:
        os.link(name, target)
    except FileExistsError:
        raise UsageError(f"{target} exists: give -f to overwrite it, or -o for another name") from None
    except OSError:  # a file system without links
        if target.exists():
            raise UsageError(f"{target} exists: give -f to overwrite it, or -o for another name") from None
        os.rename(name, target)
    else:
        os.unlink(name)


def _sync_folder(folder: Path) -> None:
    """Make the new name outlive a crash, where folders can be synced."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
