"""The compressors ours is measured against, each at its strongest usual setting."""

from __future__ import annotations

import bz2
import importlib
import lzma
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError


@dataclass(frozen=True)
class Peer:
    """A compressor as two functions on bytes."""

    name: str
    compress: Callable[[bytes], bytes]
    decompress: Callable[[bytes], bytes]
    extra: int = 0  # bytes of what is compressed that are not the peer's own, but say here what it was handed


def _xz() -> Peer:
    return Peer("xz -9e", lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME), lzma.decompress)


def _bzip2() -> Peer:
    return Peer("bzip2 -9", lambda data: bz2.compress(data, 9), bz2.decompress)


def _zstd() -> Peer:
    zstandard = importlib.import_module("zstandard")
    parameters = zstandard.ZstdCompressionParameters.from_level(22, window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    return Peer("zstd --ultra -22", compressor.compress, lambda data: zstandard.decompress(data, 1 << 32))


def brotli() -> Peer:
    """brotli, which has a dictionary built in. Raises ImportError."""
    module = importlib.import_module("brotli")
    return Peer("brotli -q 11", lambda data: module.compress(data, quality=11, lgwin=24), module.decompress)


def _ppmd() -> Peer:
    pyppmd = importlib.import_module("pyppmd")
    order, memory = 12, 256 << 20

    def compress(data: bytes) -> bytes:
        # PPMd's stream says nothing of its length; four bytes for it, as any container of PPMd has.
        encoder = pyppmd.Ppmd7Encoder(order, memory)
        return len(data).to_bytes(4, "little") + encoder.encode(data) + encoder.flush()

    def decompress(data: bytes) -> bytes:
        return bytes(pyppmd.Ppmd7Decoder(order, memory).decode(data[4:], int.from_bytes(data[:4], "little")))

    return Peer("PPMd -o12", compress, decompress)


def _zpaq() -> Peer:
    program = shutil.which("zpaq")
    if program is None:
        raise ImportError("zpaq is not installed")

    def run(command: list[str], folder: str) -> None:
        subprocess.run(
            [program, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def compress(data: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "f").write_bytes(data)
            run(["add", "a.zpaq", "f", "-m5", "-t1"], folder)
            return Path(folder, "a.zpaq").read_bytes()

    def decompress(data: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a.zpaq").write_bytes(data)
            run(["extract", "a.zpaq"], folder)
            return Path(folder, "f").read_bytes()

    return Peer("zpaq -m5", compress, decompress)


_MAKERS = {"xz": _xz, "zstd": _zstd, "brotli": brotli, "bzip2": _bzip2, "ppmd": _ppmd, "zpaq": _zpaq}


NAMES = tuple(_MAKERS)


def zstd_with_dictionary(samples: list[bytes], size: int) -> Peer:
    """zstd at its highest level with a dictionary of ``size`` bytes trained on samples. Raises ImportError."""
    zstandard = importlib.import_module("zstandard")
    dictionary = zstandard.train_dictionary(size, samples)
    compressor = zstandard.ZstdCompressor(level=22, dict_data=dictionary)
    decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)
    return Peer("zstd -22, trained dictionary", compressor.compress, decompressor.decompress)


def available(
    wanted: Sequence[str] | None = None, makers: Mapping[str, Callable[[], Peer]] = _MAKERS
) -> tuple[list[Peer], list[str]]:
    """The peers that can run here, and the names of those whose package is missing.

    wanted: short names; all by default. Raises UsageError for one that is not known.
    """
    found, missing = [], []
    for name in makers if wanted is None else wanted:
        if name not in makers:
            raise UsageError(f"no peer {name!r}: there are {', '.join(makers)}")
        try:
            found.append(makers[name]())
        except ImportError:
            missing.append(name)
    return found, missing
