"""How fast the presets are, how long a whole command takes, and how much memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import codec
from . import measure as m

_LARGE = 100_000  # bytes; smaller files are over too soon to be timed


def _text(data: Path) -> bytes:
    return b"".join((data / name).read_bytes() for name in m.TEXTS)


def speeds(data: Path, presets: Sequence[str]) -> Iterator[str]:
    """Throughput on text (5 MB at fast, 2 MiB otherwise) and, at fast, on each larger file of Canterbury; commands."""
    text = _text(data)
    large = [path for path in sorted((data / "canterbury").iterdir()) if path.stat().st_size > _LARGE]
    yield m.row(["preset", "input", "cores", "compress, KB/s", "decompress, KB/s"])
    yield m.row(["---", "---", "---:", "---:", "---:"])
    for preset in presets:
        codec.decompress(codec.compress(text[:5000], preset=preset))  # compile and load first
        length = 5_000_000 if preset == "fast" else 1 << 21
        inputs = [(f"text, {length:,} bytes", (text * 2)[:length], cores) for cores in (1, 2)]
        if preset == "fast":
            inputs += [(path.name, path.read_bytes(), 1) for path in large]
        for name, content, cores in inputs:
            there, back = m.speeds(content, preset, cores)
            yield m.row([preset, name, str(cores), f"{there:.1f}", f"{back:.1f}"])
    yield ""
    yield m.row(["command, 4 KB of text, start to end", "seconds"])
    yield m.row(["---", "---:"])
    with m.scratch() as folder:
        path = m.write(folder, "small", text[:4096])
        for preset in presets:
            for what, arguments in (("compress", ["--preset", preset, path]), ("decompress", [path + ".arc"])):
                seconds = m.command_seconds([what, "-q", "-f", *arguments], 5)
                yield m.row([f"arcodec {what}, {preset}", f"{seconds:.2f}"])


def memory(data: Path, megabytes: int, preset: str) -> Iterator[str]:
    """Largest resident size while compressing and decompressing a large input."""
    text, length = _text(data), megabytes * 10**6
    with m.scratch() as folder:
        path = m.write(folder, "large", (text * (length // len(text) + 1))[:length])
        for what, arguments in (
            ("compress", [path, "--no-verify", "--preset", preset]),
            ("decompress", [path + ".arc"]),
        ):
            start = time.perf_counter()
            peak = m.peak_memory([what, "-q", "-f", *arguments])
            seconds = time.perf_counter() - start
            rate = f"{length / seconds / 1e3:.1f} KB/s on all cores"
            yield f"{what} {megabytes} MB at {preset}: peak {peak / 1e6:,.0f} MB resident, {rate}\n"
