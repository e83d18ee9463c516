"""Pictures: ours against the picture formats, every output verified sample by sample."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from .. import codec
from ..errors import ArcodecError
from . import contest
from . import measure as m
from .drawings import DRAWINGS
from .peers import Peer
from .picture_peers import available, pnm

Named = Iterator[tuple[str, np.ndarray]]


def photographs(folders: Sequence[Path]) -> Named:
    """Every picture below the folders."""
    from PIL import Image

    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".webp", ".png", ".ppm")):
            with Image.open(path) as image:
                yield path.name, np.asarray(image.convert("RGB"))


def once_jpeg(pictures: Named) -> Named:
    """The same, saved as JPEG (quality 90, 4:2:0) and decoded."""
    from PIL import Image

    for name, array in pictures:
        kept = io.BytesIO()
        Image.fromarray(array).save(kept, "JPEG", quality=90, subsampling=2)
        with Image.open(kept) as image:
            yield name, np.asarray(image.convert("RGB"))


def drawings() -> Named:
    """Those made here."""
    for make in DRAWINGS:
        yield make.__name__, make()


def digits_and_thumbnails(folder: Path) -> Named:
    """MNIST's first thousand test digits and the last five hundred of CIFAR's pictures, each as one stack."""
    import gzip

    from PIL import Image

    with gzip.open(folder / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        yield "MNIST, 1,000 digits", np.frombuffer(file.read(), np.uint8, offset=16)[:784_000].reshape(-1, 28)
    sheets = []
    for path in sorted((folder / "cifar10-4k").glob("*.png")):
        with Image.open(path) as image:
            sheets.append(np.asarray(image.convert("RGB")).reshape(-1, 32, 32, 3))
    yield "CIFAR-10, 500 pictures", np.concatenate(sheets)[3500:].reshape(-1, 32, 3)


def table(pictures: Named, presets: Sequence[str]) -> Iterator[str]:
    """Bits per dimension of files, a row a picture; last the sum of all, in bytes, and against the strongest peer."""
    peers, missing = available()
    names = [peer.name for peer in peers] + [f"arcodec {preset}" for preset in presets]
    yield m.row(["picture", "samples", *names])
    yield m.row(["---", *["---:"] * (len(names) + 1)])
    sums = np.zeros(len(names))
    for name, array in pictures:
        original = pnm(array)
        sizes: list[float] = [_size(peer, original, name) for peer in peers]
        for preset in presets:
            packed = codec.compress(original, preset=preset, media="image", verify=False)
            if codec.decompress(packed) != original:
                raise ArcodecError(f"{name}: arcodec {preset} does not give back what went in")
            sizes.append(len(packed))
        sums += np.array(sizes)
        yield m.row([name, f"{array.size:,}", *(_cell(8 * size / array.size, ".4f") for size in sizes)])
    yield m.row(["**bytes in all**", "", *(_cell(size, ",.0f") for size in sums)])
    if len(peers):
        best = np.nanmin(sums[: len(peers)])
        yield m.row(["against the smallest peer", "", *(_cell(100 * (size / best - 1), "+.2f", " %") for size in sums)])
    if missing:
        yield f"\nNot installed: {', '.join(missing)}."


def _size(peer: Peer, original: bytes, name: str) -> float:
    """Bytes, verified; NaN for a picture that the format does not take. Raises ArcodecError."""
    try:
        packed = peer.compress(original)
    except Exception:
        return math.nan
    if peer.decompress(packed) != original:
        raise ArcodecError(f"{name}: {peer.name} does not give back what went in")
    return len(packed) - peer.extra


def _cell(figure: float, kind: str, unit: str = "") -> str:
    return "" if math.isnan(figure) else f"{figure:{kind}}{unit}"


def speeds(picture: np.ndarray, presets: Sequence[str], megapixels: int) -> Iterator[str]:
    """Seconds each way, on one core, and peak memory, of a photograph repeated and cut to sizes of so much at most.

    Each in a process of its own; loading and compiling are not counted.
    """
    yield m.row(["pixels", "preset", "compress, s", "decompress, s", "microseconds a pixel, both", "peak memory, MB"])
    yield m.row(["---:", "---", *["---:"] * 4])
    sizes = [(512, 512), (512, 768), (1024, 1024), (2048, 2048), (4096, 4096)]
    sizes = [(height, width) for height, width in sizes if height * width <= megapixels << 20]
    yield from _runs(((_repeated(picture, *size), preset) for preset in presets for size in sizes), threads=1)


def large(picture: np.ndarray) -> Iterator[str]:
    """The same for 100 megapixels in grey, on all cores."""
    yield m.row(["pixels", "preset", "compress, s", "decompress, s", "microseconds a pixel, both", "peak memory, MB"])
    yield m.row(["---:", "---", *["---:"] * 4])
    yield from _runs([(_repeated(picture[..., :1], 10_000, 10_000), "fast")], threads=0)


def _repeated(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    repeats = (-(-height // picture.shape[0]), -(-width // picture.shape[1]), 1)
    return np.tile(picture, repeats)[:height, :width]


def _runs(runs: Iterable[tuple[np.ndarray, str]], threads: int) -> Iterator[str]:
    with m.scratch() as folder:
        for array, preset in runs:
            path = Path(m.write(folder, "picture", pnm(array)))
            done = contest.outcome(f"arcodec {preset}", path, threads)
            both = 1e6 * (done.compress_seconds + done.decompress_seconds) / (array.shape[0] * array.shape[1])
            cells = [f"{done.compress_seconds:.2f}", f"{done.decompress_seconds:.2f}", f"{both:.2f}"]
            yield m.row([f"{array.shape[0]:,} x {array.shape[1]:,}", preset, *cells, f"{done.peak_bytes / 1e6:,.0f}"])
