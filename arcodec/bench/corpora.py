"""Whole corpora and folders of files beside the peers, and short messages beside those that bring a dictionary."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import zstandard

from .. import codec
from ..models import store
from . import measure as m
from . import peers as p

FOLDERS = ("calgary", "canterbury")
_DICTIONARY = 110_000  # bytes
_MESSAGES = 20
_SAMPLE = 1 << 14  # bytes of each training document the dictionary sees


def _ours(content: bytes, preset: str, model: str | None = None) -> int:
    def compress(data: bytes) -> bytes:
        return codec.compress(data, model, preset=preset, verify=False)

    return m.round_trip_size(content, compress, codec.decompress)


def corpora(data: Path, presets: Sequence[str]) -> Iterator[str]:
    """A table for each corpus: sizes of every file, all round trips verified."""
    peers, missing = p.available()
    names = [*(f"arcodec {preset}" for preset in presets), *(peer.name for peer in peers)]
    for folder in FOLDERS:
        yield m.row([folder, "bytes", *names])
        yield m.row(["---", *["---:"] * (len(names) + 1)])
        totals = [0] * (len(names) + 1)
        for path in sorted((data / folder).iterdir()):
            content = path.read_bytes()
            sizes = [_ours(content, preset) for preset in presets]
            sizes += [m.round_trip_size(content, peer.compress, peer.decompress) for peer in peers]
            yield m.row([path.name, f"{len(content):,}", *(f"{size:,}" for size in sizes)])
            totals = [total + size for total, size in zip(totals, [len(content), *sizes], strict=True)]
        yield m.row(["total", *(f"{total:,}" for total in totals)])
        yield ""
    if missing:
        yield f"Not installed, hence not measured: {', '.join(missing)}."


def files(folders: Sequence[Path], limit: int) -> Iterator[str]:
    """Sums over files compressed one by one: with the network that is chosen, with ``text``, and by the peers.

    Of each folder about ``limit`` bytes, of the files with the least sha-256. Raises SystemExit if it has none.
    """
    peers, missing = p.available()
    names = ["arcodec default", f"with {store.TEXT}", *(peer.name for peer in peers)]
    yield m.row(["folder", "files", "bytes", *names])
    yield m.row(["---", *["---:"] * (len(names) + 2)])
    for folder in folders:
        contents = _chosen(folder, limit)
        sizes = [sum(_ours(content, "default", model) for content in contents) for model in (None, store.TEXT)]
        for peer in peers:
            sizes.append(sum(m.round_trip_size(content, peer.compress, peer.decompress) for content in contents))
        yield m.row([folder.name, *(f"{n:,}" for n in (len(contents), sum(map(len, contents)), *sizes))])
    if missing:
        yield f"Not installed, hence not measured: {', '.join(missing)}."


def _chosen(folder: Path, limit: int) -> list[bytes]:
    paths = {hashlib.sha256(path.read_bytes()).digest(): path for path in folder.rglob("*") if path.is_file()}
    found: list[bytes] = []
    size = 0
    for _, path in sorted(paths.items()):
        if size >= limit:
            break
        found.append(path.read_bytes())
        size += len(found[-1])
    if not found:
        raise SystemExit(f"python -m arcodec.bench files: no files in {folder}")
    return found


def _documents(folder: Path) -> list[bytes]:
    found = []
    for path in sorted(folder.rglob("*.txt")):
        found += [document for document in path.read_bytes().split(b"\0") if len(document) >= 2000]
    return found


def _training_samples(folder: Path) -> list[bytes]:
    found = []
    for path in sorted(folder.rglob("*.zst")):
        with path.open("rb") as file:
            reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file)
            documents = reader.read(1 << 21).split(b"\0")
        found += [document[:_SAMPLE] for document in documents if document]
    return found


def messages(text: Path) -> Iterator[str]:
    """Mean sizes of the first bytes of documents held out; text holds ``train`` and ``valid``."""
    chosen = random.Random(0).sample(_documents(text / "valid"), _MESSAGES)
    others = [p.zstd_with_dictionary(_training_samples(text / "train"), _DICTIONARY), p.brotli()]
    yield m.row(["first bytes", "arcodec", *(peer.name for peer in others)])
    yield m.row(["---:", *["---:"] * (len(others) + 1)])
    for length in (200, 2000):
        cut = [document[:length] for document in chosen]
        ours = sum(_ours(message, "default") for message in cut)
        theirs = [sum(m.round_trip_size(message, q.compress, q.decompress) for message in cut) for q in others]
        yield m.row([f"{length:,}", *(f"{total / len(cut):.1f}" for total in (ours, *theirs))])
