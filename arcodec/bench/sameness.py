"""Whether a file is the same whatever made it: the number of cores, the run, the processor's instructions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import measure as m

_LENGTH = 60_000  # bytes of each sample
_BLOCK = 40_000  # bytes, so that there are several blocks
_RUNS = (("1", False), ("2", False), ("0", False), ("0", False), ("1", True))  # -T (0: all cores), a generic processor?


def _run(arguments: Sequence[str], generic: bool = False) -> None:
    environment = os.environ | ({"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""} if generic else {})
    subprocess.run([sys.executable, "-m", "arcodec_cli", *arguments, "-q", "-f"], env=environment, check=True)


def sameness(data: Path, presets: Sequence[str]) -> Iterator[str]:
    """Compress a piece of text and one of a program by one core, two, all, twice, and without vector instructions."""
    sample = b"".join((data / name).read_bytes()[:_LENGTH] for name in ("calgary/book2", "calgary/obj2"))
    yield m.row(["preset", "bytes", "-T 1, 2, all; again; generic processor", "decoded by a generic processor"])
    yield m.row(["---", "---:", "---", "---"])
    with m.scratch() as folder:
        source = m.write(folder, "sample", sample)
        for preset in presets:
            common = ["compress", source, "--preset", preset, "--block-size", str(_BLOCK)]
            files = []
            for number, (threads, generic) in enumerate(_RUNS):
                _run([*common, "-T", threads, "-o", f"{source}.{number}"], generic)
                files.append(Path(f"{source}.{number}").read_bytes())
            _run(["decompress", f"{source}.0", "-o", f"{source}.back"], generic=True)
            back = Path(f"{source}.back").read_bytes()
            yield m.row([preset, f"{len(files[0]):,}", _verdict(len(set(files)) == 1), _verdict(back == sample)])


def _verdict(same: bool) -> str:
    return "the same" if same else "DIFFERENT"
