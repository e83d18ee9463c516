"""Pictures: ours against the picture formats, every output verified sample by sample."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .. import codec
from ..errors import ArcodecError
from . import measure as m
from .drawings import DRAWINGS
from .picture_peers import available, peer_size, pnm

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
    sums = np.zeros(len(names), np.int64)
    for name, array in pictures:
        sizes, original = [], pnm(array)
        for peer in peers:
            packed = peer.compress(original)
            if peer.decompress(packed) != original:
                raise ArcodecError(f"{name}: {peer.name} does not give back what went in")
            sizes.append(peer_size(packed))
        for preset in presets:
            packed = codec.compress(original, preset=preset, media="image", verify=False)
            if codec.decompress(packed) != original:
                raise ArcodecError(f"{name}: arcodec {preset} does not give back what went in")
            sizes.append(len(packed))
        sums += np.array(sizes)
        yield m.row([name, f"{array.size:,}", *(f"{8 * size / array.size:.4f}" for size in sizes)])
    yield m.row(["**bytes in all**", "", *(f"{size:,}" for size in sums)])
    if len(peers):
        best = sums[: len(peers)].min()
        yield m.row(["against the smallest peer", "", *(f"{100 * (size / best - 1):+.2f} %" for size in sums)])
    if missing:
        yield f"\nNot installed: {', '.join(missing)}."


def speeds(picture: np.ndarray, presets: Sequence[str]) -> Iterator[str]:
    """Seconds each way, on one core, of a photograph tiled and cut to several sizes; loading and compiling apart."""
    yield m.row(["pixels", *(f"{preset}, {way}" for preset in presets for way in ("compress", "decompress"))])
    yield m.row(["---:", *["---:"] * 2 * len(presets)])
    for height, width in ((512, 512), (512, 768), (1024, 1024), (2048, 2048), (4096, 4096)):
        repeats = (-(-height // picture.shape[0]), -(-width // picture.shape[1]), 1)
        mirrored = np.tile(picture, repeats)[:height, :width]
        cells = []
        for preset in presets:
            codec.decompress_image(codec.compress_image(picture[:16, :16], preset=preset))
            start = time.perf_counter()
            packed = codec.compress_image(mirrored, preset=preset, threads=1, verify=False)
            middle = time.perf_counter()
            if not np.array_equal(codec.decompress_image(packed, threads=1), mirrored):
                raise ArcodecError("a picture did not come back")
            cells += [f"{middle - start:.2f} s", f"{time.perf_counter() - middle:.2f} s"]
        yield m.row([f"{height} x {width}", *cells])
