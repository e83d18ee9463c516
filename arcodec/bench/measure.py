"""Sizes, times and memory; every result decoded and compared."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .. import codec
from ..machine import available_cores

TEXTS = (
    "canterbury/alice29.txt",
    "canterbury/asyoulik.txt",
    "canterbury/lcet10.txt",
    "canterbury/plrabn12.txt",
    "calgary/book1",
    "calgary/book2",
)


def row(cells: list[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


def speeds(content: bytes, preset: str, threads: int, repeats: int = 3) -> tuple[float, float]:
    """Compressing and decompressing, verified, in thousands of bytes a second: each way's least disturbed run."""
    there, back = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        packed = codec.compress(content, preset=preset, threads=threads, verify=False)
        there.append(time.perf_counter() - start)
        start = time.perf_counter()
        if codec.decompress(packed, threads=threads) != content:
            raise AssertionError("a round trip failed")
        back.append(time.perf_counter() - start)
    return len(content) / min(there) / 1e3, len(content) / min(back) / 1e3


def round_trip_size(data: bytes, compress: Callable[[bytes], bytes], decompress: Callable[[bytes], bytes]) -> int:
    """Bytes of the compressed data, after decompressing and comparing. Raises AssertionError if the bytes differ."""
    packed = compress(data)
    if decompress(packed) != data:
        raise AssertionError("a round trip failed")
    return len(packed)


def command_seconds(arguments: list[str], repeats: int) -> float:
    """Shortest wall-clock time of an arcodec command, start to end."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "arcodec_cli", *arguments], check=True)
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory(arguments: list[str]) -> int:
    """Largest resident size of an arcodec command, in bytes. Linux counts it in KiB."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-c", code, sys.executable, "-m", "arcodec_cli", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) * 1024


def machine() -> str:
    """The processor and the number of cores, for the table's caption."""
    name = "unknown processor"
    try:
        with open("/proc/cpuinfo") as file:
            name = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {available_cores()} cores"


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for files that commands read and write."""
    return tempfile.TemporaryDirectory(prefix="arcodec-bench-")


def write(folder: str, name: str, data: bytes) -> str:
    """A file's path after writing it."""
    path = Path(folder) / name
    path.write_bytes(data)
    return str(path)
