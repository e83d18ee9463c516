"""Ours and the peers on given files: sizes, speeds, peak memory; each in its own process, every output verified."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import codec
from ..errors import ArcodecError
from ..media import images
from . import peers, picture_peers

OURS = tuple(f"arcodec {preset}" for preset in ("fast", "default", "best"))
_WARM = 2000  # bytes coded before the clock starts, so that compiling and loading are not counted


@dataclass(frozen=True)
class Outcome:
    """One compressor on one file."""

    contender: str
    file: str
    original_bytes: int
    compressed_bytes: int
    compress_seconds: float
    decompress_seconds: float
    peak_bytes: int  # resident, of the process that did both; of its child where a program was called

    @property
    def bits_per_byte(self) -> float:
        """Of the original."""
        return 8 * self.compressed_bytes / max(1, self.original_bytes)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return dataclasses.asdict(self) | {"bits_per_byte": self.bits_per_byte}


def contenders(presets: Sequence[str], wanted: Sequence[str] | None, pictures: bool) -> tuple[list[str], list[str]]:
    """Names for ``outcome``, and of peers that are not installed; wanted: as for ``peers.available``."""
    found, missing = (picture_peers if pictures else peers).available(wanted)
    return [*(f"arcodec {preset}" for preset in presets), *(peer.name for peer in found)], missing


def outcome(contender: str, path: Path, threads: int = 0) -> Outcome:
    """Let one of ``contenders`` compress and decompress a file, in a process of its own.

    threads: cores that ours may use, 0 for all. Raises ArcodecError if it fails, or does not give back the original.
    """
    done = subprocess.run(
        [sys.executable, "-m", "arcodec.bench.contest", contender, str(path), str(threads)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ArcodecError(f"{path}: {contender} failed: {last}")
    return Outcome(**json.loads(done.stdout))


def _contender(name: str, threads: int) -> peers.Peer:
    if name in OURS:
        preset = name.split()[1]

        def compress(data: bytes) -> bytes:
            return codec.compress(data, preset=preset, media="auto", threads=threads, verify=False)

        return peers.Peer(name, compress, lambda data: codec.decompress(data, threads=threads))
    return next(peer for known in (peers, picture_peers) for peer in known.available()[0] if peer.name == name)


def _beginning(data: bytes) -> bytes:
    """Some of the data, or a corner of the picture."""
    raster, _ = images.read(data, "auto")
    return data[:_WARM] if raster is None else picture_peers.pnm(images.to_array(raster)[:16, :16])


def _peak_memory() -> int:
    """Largest resident size, in bytes, of this process or of a program it called."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:  # Linux lets a process begin with the figure of the one that started it; this one is its own
        status = Path("/proc/self/status").read_text().splitlines()
        own = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    return unit * max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _here(name: str, path: Path, threads: int) -> Outcome:
    """The same, in this process."""
    peer, data = _contender(name, threads), path.read_bytes()
    peer.decompress(peer.compress(_beginning(data)))
    start = time.perf_counter()
    packed = peer.compress(data)
    middle = time.perf_counter()
    if peer.decompress(packed) != data:
        raise ArcodecError("it does not give back what went in")
    end = time.perf_counter()
    return Outcome(name, path.name, len(data), len(packed) - peer.extra, middle - start, end - middle, _peak_memory())


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(_here(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))))
