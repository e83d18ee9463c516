"""numba with a cache that notices every change of the library.

numba keeps compiled code by the file that defines a function, and does not see when a function that it calls changed in
another file. Here the folder of the cache carries a hash of the library's sources, so old code is never run.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba.core.config
from numba import njit
from numba.core import event

config: Any = numba.core.config  # its attributes are made at import, which hides them from type checkers

_Function = TypeVar("_Function", bound=Callable[..., Any])


@lru_cache(maxsize=1)
def cache_folder() -> str:
    """Where compiled kernels are kept: below NUMBA_CACHE_DIR, the user's cache, or else a temporary folder."""
    library = Path(__file__).parent
    singles = (
        "jit.py",
        "frequencies.py",
        "range_kernel.py",
        "models/loops.py",
        "models/pixels.py",
        "training/fused.py",
        "training/stream.py",
        "media/chroma.py",
        "media/halving.py",
        "lab/coded.py",
    )
    sources = [*(library / name for name in singles), *library.glob("exact/*.py"), *library.glob("mixing/**/*.py")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:16]
    try:
        base = config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "arcodec" / f"kernels-{digest}"
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return str(folder)
    except (OSError, RuntimeError):  # not writable, or no home at all
        temporary = tempfile.mkdtemp(prefix="arcodec-kernels-")
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        return temporary


@contextmanager
def before_compiling(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` once if, inside, a kernel is compiled that no cache holds."""

    class First(event.Listener):
        told = False

        def on_start(self, event: object) -> None:
            if not self.told:
                self.told = True
                tell()

        def on_end(self, event: object) -> None: ...

    with event.install_listener("numba:compile", First()):
        yield


def kernel(function: _Function) -> _Function:
    """Compile for speed: no interpreter's lock, no reference counts, no exceptions.

    Never fastmath: floats keep their order and are never fused. A kernel makes no arrays (``allocating`` does) and
    divides by zero as IEEE says. Without reference counts the loops of bytes and bits are twice as fast: numba would
    take an atomic count of every array at every call.
    """
    return _compiled(function, error_model="numpy", _nrt=False)


def inlined(function: _Function) -> _Function:
    """Compile as part of the kernels that call it, for what is called every bit: an array costs seven words a call."""
    return _compiled(function, error_model="numpy", _nrt=False, inline="always")


def allocating(function: _Function) -> _Function:
    """Compile what makes arrays: as ``kernel``, but with reference counts."""
    return _compiled(function)


def _compiled(function: _Function, **settings: Any) -> _Function:
    before = config.CACHE_DIR
    config.CACHE_DIR = cache_folder()
    try:
        compiled: Any = njit(cache=True, nogil=True, **settings)(function)
    finally:
        config.CACHE_DIR = before
    return cast(_Function, compiled)
