"""Pictures: what goes in comes back, whatever its format, and is accounted for."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import arcodec
from arcodec import blocks, codec, container
from arcodec.errors import DamagedError, LimitError, UsageError
from arcodec.media import images
from arcodec.media.raster import narrowed, widened
from tests.media.samples import EXACT, JPEG, WRAPPED, photo, saved, tiff


def through(data: bytes, preset: str = "fast", **options: object) -> bytes:
    return arcodec.decompress(arcodec.compress(data, media="image", preset=preset, **options))  # type: ignore[arg-type]


ARRAYS = {
    "grey": photo()[..., 0],
    "grey and alpha": photo(channels=2),
    "rgb": photo(),
    "rgba": photo(channels=4),
    "16 bits": photo(channels=1, depth=16)[..., 0],
    "16 bits rgb": photo(depth=16),
    "12 bits in 16": photo(depth=16) >> 4,
    "8 bits times 257": photo().astype(np.uint16) * 257,
    "one bit": photo()[..., 0] > 128,
    "one pixel": photo()[:1, :1],
    "a row": photo(1, 10_000, 1),
    "a column": photo(10_000, 1, 1),
    "a constant": np.full((30, 30, 3), 200, np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8),
    "noise of 16 bits": np.random.default_rng(0).integers(0, 65536, (20, 30, 3)).astype(np.uint16),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("preset", ["fast", "default", "best"])
def test_arrays_come_back(name: str, preset: str) -> None:
    array = ARRAYS[name]
    content = arcodec.compress_image(array, preset=preset)
    back = arcodec.decompress_image(content)
    squeezed = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    assert back.dtype == array.dtype
    assert np.array_equal(back, squeezed)
    assert len(content) <= array.nbytes + 30


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_array_comes_back(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 20))
    channels, bits = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 16))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    kind = np.uint8 if bits <= 8 else np.uint16
    array = random.integers(0, 1 << bits, (height, width, channels)).astype(kind)
    rows = data.draw(st.integers(1, height))
    content = arcodec.compress_image(array, preset="fast", block_size=rows * width * channels)
    assert np.array_equal(arcodec.decompress_image(content).reshape(array.shape), array)


def test_several_blocks_and_threads_give_the_same_bytes() -> None:
    array = photo(64, 48)
    one = arcodec.compress_image(array, block_size=16 * 48 * 3, threads=1)
    assert one == arcodec.compress_image(array, block_size=16 * 48 * 3, threads=2)
    (member,) = container.members(one)
    assert member.header.blocks == 4
    assert np.array_equal(arcodec.decompress_image(one), array)


@pytest.mark.parametrize("name", EXACT)
def test_raw_files_come_back_byte_for_byte(name: str) -> None:
    original = EXACT[name]
    content = arcodec.compress(original, media="auto", preset="fast")
    (member,) = container.members(content)
    assert member.header.picture is not None
    assert arcodec.decompress(content) == original


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_files_come_back_as_pictures(name: str) -> None:
    before = Image.open(io.BytesIO(WRAPPED[name]))
    after = Image.open(io.BytesIO(through(WRAPPED[name])))
    assert (after.format, after.mode, after.size) == ("PNG", before.mode, before.size)
    assert np.array_equal(np.asarray(after), np.asarray(before))
    assert after.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()  # palette and transparency
    if before.format == "PNG":
        assert after.text == before.text  # type: ignore[attr-defined]
        for key in ("icc_profile", "exif", "transparency"):
            assert after.info.get(key) == before.info.get(key)
        assert after.info.get("dpi") == pytest.approx(before.info.get("dpi"))


def test_a_deep_png_keeps_all_its_bits() -> None:
    import png

    array, out = photo(depth=16), io.BytesIO()
    png.Writer(56, 40, greyscale=False, bitdepth=16).write(out, array.reshape(40, -1))
    _, _, rows, info = png.Reader(bytes=through(out.getvalue())).asDirect()
    assert info["bitdepth"] == 16
    assert np.array_equal(np.array([list(row) for row in rows]).reshape(array.shape), array)


def test_a_word_on_what_becomes_of_the_file() -> None:
    assert "PNG written anew" in codec.measured(WRAPPED["png"], media="auto", preset="fast").remark
    assert "JPEG" in codec.measured(JPEG, media="auto", preset="fast").remark
    assert codec.measured(EXACT["ppm"], media="auto", preset="fast").remark == ""
    assert codec.measured(b"text", media="auto", preset="fast").remark == ""


def test_bytes_are_the_default_of_the_library() -> None:
    assert arcodec.decompress(arcodec.compress(WRAPPED["webp"], preset="fast")) == WRAPPED["webp"]


def test_the_written_format_follows_the_name() -> None:
    content = arcodec.compress(WRAPPED["png"], media="image", preset="fast")
    for name in ("PNG", "TIFF", "WEBP", "BMP", "PPM", "TGA"):
        (data,) = codec.iter_decompressed(content, picture_format=name)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), photo()), name
    deep = arcodec.compress_image(photo(depth=16), preset="fast")
    with pytest.raises(UsageError, match="PNG only"):
        next(codec.iter_decompressed(deep, picture_format="TIFF"))
    few = arcodec.compress_image(np.full((4, 4), 3, np.uint8), preset="fast")
    assert arcodec.decompress_image(few).tolist() == [[3] * 4] * 4


def test_samples_take_no_more_bits_than_they_need() -> None:
    for array, depth, step in (
        (photo().astype(np.uint16) * 257, 8, 257),
        (photo(depth=16) >> 4, 12, 1),
        (photo(depth=16) << 4, 16, 16),
        (photo(depth=16) | 1, 16, 2),
    ):
        raster = images.of_array(array)
        samples, bits, scale = narrowed(raster)
        assert bits <= depth
        assert scale is not None
        assert scale.step == step
        assert np.array_equal(widened(samples, bits, scale, b"").samples, array)
    with pytest.raises(DamagedError, match="larger"):
        widened(np.full((2, 2, 1), 65535, np.uint16), 16, container.Scale(16, 2, 0), b"")


def test_the_account_of_a_picture() -> None:
    array = photo()
    ledger, bits = arcodec.measure_image(array)
    assert bits.shape == array.shape
    assert bits.sum() == pytest.approx(ledger.model_bits, abs=0.01)
    assert ledger.unexplained_bits == 0
    assert ledger.dimensions == array.size
    assert list(ledger.channels_bits) == ["red", "green", "blue"]
    assert ledger.channels_bits["green"] == pytest.approx(bits[..., 1].sum(), abs=0.01)
    assert 8 * len(arcodec.compress_image(array)) == 8 * ledger.file_bytes
    assert min(ledger.experts_bits.values()) > 0
    assert ledger.bpd == pytest.approx(8 * ledger.file_bytes / array.size)
    table = ledger.table()
    assert "bits/dim" in table
    assert "green: " in table
    assert json.dumps(ledger.as_dict())
    audited = codec.audited(arcodec.compress_image(array))
    assert audited.ledger.channels_bits == ledger.channels_bits


def test_some_rows_are_decoded_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    array = photo()
    content = arcodec.compress_image(array, block_size=10 * array.shape[1] * 3)
    decoded: list[int] = []
    check = blocks.container.block_check

    def counting(original: bytes, payload: bytes) -> int:
        decoded.append(len(original))
        return check(original, payload)

    monkeypatch.setattr(blocks.container, "block_check", counting)
    for first, stop in ((0, 1), (9, 11), (12, 19), (len(array) - 1, len(array)), (0, len(array))):
        decoded.clear()
        assert np.array_equal(arcodec.decompress_image(content, rows=(first, stop)), array[first:stop])
        assert len(decoded) == (stop - 1) // 10 - first // 10 + 1
    for rows in ((0, 0), (-1, 3), (5, len(array) + 1)):
        with pytest.raises(UsageError, match="rows"):
            arcodec.decompress_image(content, rows=rows)
    with pytest.raises(LimitError):
        arcodec.decompress_image(content, rows=(0, 2), max_output_size=array.shape[1] * 5)


def test_a_tiff_with_all_it_may_hold_comes_back() -> None:
    exif = Image.Exif()
    exif[270], exif[274] = "what it shows", 1
    data = tiff(photo(), dpi=(120, 120), icc_profile=b"a profile", exif=exif)
    back = Image.open(io.BytesIO(through(data)))
    assert np.array_equal(np.asarray(back), photo())
    assert back.info["icc_profile"] == b"a profile"
    assert dict(back.getexif()) == {270: "what it shows", 274: 1}
    raster, _ = images.read(data, "image")
    assert raster is not None
    again = Image.open(io.BytesIO(images.write(raster, "TIFF")))
    assert np.array_equal(np.asarray(again), photo())


def test_a_lossless_webp_with_a_profile_is_a_picture() -> None:
    data = saved(Image.fromarray(photo()), "WEBP", lossless=True, icc_profile=b"a profile")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(through(data)))), photo())


def test_sizes_are_those_of_files() -> None:
    bits = b"P4\n30 20\n" + bytes(80)
    content = arcodec.compress(bits, media="image", preset="fast")
    (member,) = container.members(content)
    assert member.header.original_bytes == 80
    assert arcodec.decompress(content, max_output_size=100) == bits
