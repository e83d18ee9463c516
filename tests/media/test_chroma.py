"""Pictures that were once JPEG files are found, parted into luma and chroma, and put together again exactly."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import arcodec
from arcodec import codec, container
from arcodec.errors import DamagedError
from arcodec.media import chroma
from tests.media.samples import photo


def once_jpeg(array: np.ndarray, quality: int = 90, subsampling: int = 2) -> np.ndarray:
    kept = io.BytesIO()
    Image.fromarray(array).save(kept, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(kept))


def coloured(height: int, width: int, seed: int = 0, contrast: float = 50) -> np.ndarray:
    """Smooth luma and chroma that change in every direction; with much contrast, some are beyond black and white."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 9
    waves = [np.sin(x * a + y * b + c) for a, b, c in random.normal(0, 1, (3, 3))]
    return np.stack([128 + contrast * (waves[0] + 0.4 * wave) for wave in waves], -1).clip(0, 255).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(50, 97), st.integers(20, 200), st.integers(0, 2**32))
def test_what_is_parted_comes_back(height: int, width: int, quality: int, contrast: int, seed: int) -> None:
    samples = once_jpeg(coloured(height, width, seed, contrast), quality)
    parted = chroma.part(samples)
    if parted is not None:
        assert parted.planes.shape == chroma.shape(height, width)
        assert np.array_equal(chroma.join(parted.planes, height, width, parted.notes), samples)


@pytest.mark.parametrize("quality", [75, 90, 95])
def test_jpegs_are_recognised(quality: int) -> None:
    samples = once_jpeg(coloured(64, 80), quality)
    parted = chroma.part(samples)
    assert parted is not None
    assert len(parted.notes) < 0.05 * samples[..., 0].size
    # These are the planes that the file held, where nothing is noted: luma is what the decoder had.
    kept = io.BytesIO()
    Image.fromarray(coloured(64, 80)).save(kept, "JPEG", quality=quality, subsampling=2)
    with Image.open(kept) as image:
        image.draft("YCbCr", None)
        luma = np.asarray(image)[..., 0]
    assert (parted.planes[:64] == luma).mean() > 0.97


def chroma_seen(samples: np.ndarray) -> np.ndarray:
    seen = np.zeros((2, samples[..., 0].size), np.int16)
    chroma._part_colours(samples.reshape(-1, 3), chroma._chroma_table(), seen[0], seen[1], 1)
    return seen.reshape(2, *samples.shape[:2])


def test_others_are_not() -> None:
    assert chroma.part(photo(64, 80)) is None
    assert chroma.part(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)) is None
    assert chroma.part(np.full((20, 20, 3), 255, np.uint8)) is None  # nothing is known of it
    sharp = coloured(64, 64)
    sharp[::2, ::2] = sharp[::2, ::2][..., ::-1]  # colours change from pixel to pixel: chroma at half size cannot
    assert chroma.part(once_jpeg(sharp, 95, subsampling=0)) is None
    assert not chroma._looks_halved(chroma_seen(once_jpeg(sharp, 95, subsampling=0)))
    assert chroma._looks_halved(chroma_seen(once_jpeg(coloured(200, 300))))


def test_it_makes_files_smaller() -> None:
    samples = once_jpeg(coloured(96, 128))
    content = arcodec.compress_image(samples, preset="fast")
    assert np.array_equal(arcodec.decompress_image(content), samples)
    (member,) = container.members(content)
    assert member.header.picture is not None
    assert member.header.picture.parted
    turned = np.ascontiguousarray(samples[..., ::-1])  # no lattice of YCbCr
    assert len(content) < 0.8 * len(arcodec.compress_image(turned, preset="fast"))
    assert np.array_equal(arcodec.decompress_image(content, rows=(3, 17)), samples[3:17])


def test_its_account_is_of_the_picture() -> None:
    samples = once_jpeg(coloured(33, 47))
    ledger, bits = arcodec.measure_image(samples, preset="fast")
    assert bits.shape == samples.shape
    assert bits.sum() == pytest.approx(ledger.model_bits + ledger.stored_bits)
    assert ledger.dimensions == samples.size
    assert ledger.original_bytes == samples.size
    assert ledger.unexplained_bits == 0
    assert sum(ledger.channels_bits.values()) == pytest.approx(ledger.model_bits + ledger.stored_bits, abs=1e-4)
    content = arcodec.compress_image(samples, preset="fast")
    audited = codec.audited(content)
    assert audited.samples is not None
    assert np.array_equal(audited.samples, samples)
    assert audited.symbol_bits == pytest.approx(bits.reshape(-1))


@given(st.integers(1, 9), st.integers(1, 9))
def test_costs_keep_their_sum(height: int, width: int) -> None:
    bits = np.random.default_rng(height * 10 + width).random(chroma.shape(height, width))
    assert chroma.spread(bits, height, width).sum() == pytest.approx(bits.sum())


def test_damaged_notes_are_noticed() -> None:
    samples = once_jpeg(coloured(40, 40, 3), 95)
    parted = chroma.part(samples)
    assert parted is not None
    one = chroma._packed(np.array([5]), np.array([[4]], np.uint8))
    none = chroma._packed(np.array([], np.int64), np.zeros((0, 3), np.uint8))
    assert chroma.join(parted.planes, 40, 40, one + none).shape == (40, 40, 3)
    bad = [
        b"",
        one,
        one + none + b"x",
        chroma._packed(np.array([1600]), np.array([[4]], np.uint8)) + none,  # beyond the picture
        chroma._packed(np.array([5]), np.array([[9]], np.uint8)) + none,  # no such move
        one[:4] + (99).to_bytes(4, "little") + one[8:] + none,
        (2).to_bytes(4, "little") + one[4:] + none,
        one[:10] + bytes([one[10] ^ 255]) + one[11:] + none,
    ]
    for notes in bad:
        with pytest.raises(DamagedError, match="notes"):
            chroma.join(parted.planes, 40, 40, notes)


def test_only_colours_of_eight_bits_may_be_parted() -> None:
    content = bytearray(arcodec.compress_image(once_jpeg(coloured(40, 40)), preset="fast"))
    kind = content.index(bytes([40, 40])) + 2
    assert content[kind] >> 7
    content[kind] ^= 1  # other channels
    with pytest.raises(DamagedError):
        arcodec.decompress_image(bytes(content))
