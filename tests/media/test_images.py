"""Pictures: what goes in comes back, whatever its format; what cannot is said."""

from __future__ import annotations

import io
import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

import arcodec
from arcodec import blocks, codec, container, pictures
from arcodec.errors import DamagedError, LimitError, UsageError
from arcodec.media import images, raw
from arcodec.media.raster import UnfitError, narrowed, widened
from arcodec.predictor import Resources


def photo(height: int = 40, width: int = 56, channels: int = 3, depth: int = 8) -> np.ndarray:
    """Something like a photograph: slopes, an edge, noise."""
    random = np.random.default_rng(height * width + channels)
    y, x = np.mgrid[:height, :width]
    planes = [(2 + c) * x + (3 - c) * y + 60 * (x > width // 2) for c in range(channels)]
    noisy = np.stack(planes, -1) + random.normal(0, 2, (height, width, channels))
    top = (1 << depth) - 1
    return (noisy.clip(0, 255) / 255 * top).astype(np.uint16 if depth > 8 else np.uint8)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


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


def pnm(kind: bytes, array: np.ndarray, top: int, comment: bytes = b"") -> bytes:
    height, width = array.shape[:2]
    samples = array.astype(">u2" if top > 255 else "u1").tobytes()
    return kind + b"\n" + comment + b"%d %d\n%d\n" % (width, height, top) + samples


EXACT = {
    "ppm": pnm(b"P6", photo(), 255),
    "ppm with a comment": pnm(b"P6", photo(), 255, b"# made by hand\n"),
    "pgm": pnm(b"P5", photo(channels=1), 255),
    "pgm of 16 bits": pnm(b"P5", photo(channels=1, depth=16), 65535),
    "pgm of 12 bits": pnm(b"P5", photo(channels=1, depth=12), 4095),
    "pgm of 4 bits": pnm(b"P5", photo(channels=1, depth=4), 15),
    "ppm with more behind it": pnm(b"P6", photo(), 255) + b"and more",
    "pbm": saved(Image.fromarray(photo()[..., 0]).convert("1"), "PPM"),
    "pam": b"P7\nWIDTH 56\nHEIGHT 40\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" + photo(channels=4).tobytes(),
    "bmp": saved(Image.fromarray(photo(33, 55)), "BMP"),
    "bmp, grey": saved(Image.fromarray(photo(33, 55, 1)[..., 0]), "BMP"),
    "bmp, alpha": saved(Image.fromarray(photo(33, 55, 4)), "BMP"),
    "bmp, palette": saved(Image.fromarray(photo(33, 55)).quantize(30), "BMP"),
}


@pytest.mark.parametrize("name", EXACT)
def test_raw_files_come_back_byte_for_byte(name: str) -> None:
    original = EXACT[name]
    content = arcodec.compress(original, media="auto", preset="fast")
    (member,) = container.members(content)
    assert member.header.picture is not None
    assert arcodec.decompress(content) == original


def _noted() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "slopes")
    notes.add_itxt("Author", "Señora Ångström")
    exif = Image.Exif()
    exif[0x010E] = "a description"
    profile = b"an ICC profile, or nearly" * 9
    return saved(Image.fromarray(photo()), "PNG", pnginfo=notes, exif=exif, dpi=(300, 300), icc_profile=profile)


WRAPPED = {
    "png": saved(Image.fromarray(photo()), "PNG"),
    "png, grey": saved(Image.fromarray(photo(channels=1)[..., 0]), "PNG"),
    "png, grey and alpha": saved(Image.fromarray(photo(channels=2)), "PNG"),
    "png, rgba": saved(Image.fromarray(photo(channels=4)), "PNG"),
    "png, one bit": saved(Image.fromarray(photo()[..., 0] > 99), "PNG"),
    "png, 16 bits": saved(Image.fromarray(photo(channels=1, depth=16)[..., 0]), "PNG"),
    "png, palette": saved(Image.fromarray(photo()).quantize(40), "PNG"),
    "png, transparent palette": saved(Image.fromarray(photo()).quantize(40), "PNG", transparency=3),
    "png, transparent grey": saved(Image.fromarray(photo()[..., 0]), "PNG", transparency=7),
    "png, transparent colour": saved(Image.fromarray(photo()), "PNG", transparency=(1, 2, 3)),
    "png with notes": _noted(),
    "tiff": saved(Image.fromarray(photo()), "TIFF", compression="tiff_lzw"),
    "webp": saved(Image.fromarray(photo()), "WEBP", lossless=True),
    "gif": saved(Image.fromarray(photo()).quantize(40), "GIF"),
}


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


JPEG = saved(Image.fromarray(photo()), "JPEG")
UNFIT = {
    "a JPEG": JPEG,
    "lossy WebP": saved(Image.fromarray(photo()), "WEBP"),
    "several frames": saved(
        Image.fromarray(photo()).quantize(8),
        "GIF",
        save_all=True,
        append_images=[Image.fromarray(photo()[::-1]).quantize(8)],
    ),
    "its mode, CMYK": saved(Image.fromarray(photo()).convert("CMYK"), "TIFF"),
    "lossy compression": saved(Image.fromarray(photo()), "TIFF", compression="jpeg"),
    "no picture": b"plain text that goes on for a while",
    "cannot be read": WRAPPED["png"][:60],
    "cut off": EXACT["ppm"][:500],
    "largest value is 200": pnm(b"P5", photo(channels=1).clip(0, 200), 200),
    "header is not that of a PNM": b"P6 but then a poem",
    "no pixels": b"P5\n0 0\n255\n",
}


@pytest.mark.parametrize("what", list(UNFIT))
def test_what_is_no_fit_picture_is_said_or_taken_as_bytes(what: str) -> None:
    with pytest.raises(UsageError, match=what):
        arcodec.compress(UNFIT[what], media="image")
    content = arcodec.compress(UNFIT[what], media="auto", preset="fast")
    assert arcodec.decompress(content) == UNFIT[what]
    assert all(member.header.picture is None for member in container.members(content))


def test_a_word_on_what_becomes_of_the_file() -> None:
    assert "PNG written anew" in codec.measured(WRAPPED["png"], media="auto", preset="fast").remark
    assert "JPEG" in codec.measured(JPEG, media="auto", preset="fast").remark
    assert codec.measured(EXACT["ppm"], media="auto", preset="fast").remark == ""
    assert codec.measured(b"text", media="auto", preset="fast").remark == ""


def test_bytes_are_the_default_of_the_library() -> None:
    assert arcodec.decompress(arcodec.compress(WRAPPED["webp"], preset="fast")) == WRAPPED["webp"]


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.zeros((3, 4, 5), np.uint8), "shape"),
        (np.zeros((0, 4), np.uint8), "shape"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((3, 4), np.float32), "float32"),
        (np.zeros((3, 4), np.int64), "int64"),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        arcodec.compress_image(array)


def test_other_media_and_other_files() -> None:
    with pytest.raises(UsageError, match="media"):
        arcodec.compress(b"x", media="sound")
    with pytest.raises(UsageError, match="does not hold a picture"):
        arcodec.decompress_image(arcodec.compress(b"text", preset="fast"))
    with pytest.raises(LimitError):
        arcodec.decompress_image(arcodec.compress_image(photo()), max_output_size=100)


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


@pytest.mark.parametrize("name", ["ppm", "pgm of 16 bits", "bmp, palette"])
def test_damage_is_noticed(name: str) -> None:
    content = arcodec.compress(EXACT[name], media="image", preset="fast")
    random = np.random.default_rng(0)
    for at in random.integers(0, len(content), 40):
        damaged = bytearray(content)
        damaged[at] ^= 1 << random.integers(8)
        with pytest.raises(DamagedError):
            arcodec.decompress(bytes(damaged))
    for size in (0, 3, 9, len(content) // 2, len(content) - 1):
        with pytest.raises(DamagedError):
            arcodec.decompress(content[:size])


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


def test_damaged_envelopes() -> None:
    from arcodec.media.raster import Raster

    pixels = photo()
    for envelope in (b"\x01\x00", b"\x01\xff\0\0\0\0", b"\x09", b"\x03junk"):
        with pytest.raises(DamagedError):
            images.write(Raster(pixels, 8, envelope))
    with pytest.raises(UnfitError):
        raw.read_bmp(b"BM")


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


def tiff(array: np.ndarray, **more: object) -> bytes:
    return saved(Image.fromarray(array), "TIFF", compression="tiff_lzw", **more)


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


def test_a_tiff_of_sixteen_bits_in_colour_is_not_cut() -> None:
    samples = photo(6, 5, depth=16)
    words = [(256, 5), (257, 6), (258, 110), (259, 1), (262, 2), (273, 300), (277, 3), (279, samples.nbytes)]
    entries = b"".join(struct.pack("<HHII", tag, 3, 3 if tag == 258 else 1, value) for tag, value in words)
    head = struct.pack("<4sIH", b"II*\0", 8, len(words)) + entries + bytes(4) + struct.pack("<3H", 16, 16, 16)
    data = head.ljust(300, b"\0") + samples.astype("<u2").tobytes()
    with pytest.raises(UsageError, match="more bits a sample"):
        arcodec.compress(data, media="image", preset="fast")
    assert arcodec.decompress(arcodec.compress(data, media="auto", preset="fast")) == data


def test_a_lossless_webp_with_a_profile_is_a_picture() -> None:
    data = saved(Image.fromarray(photo()), "WEBP", lossless=True, icc_profile=b"a profile")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(through(data)))), photo())


def test_a_sample_beyond_the_largest_is_left_as_bytes() -> None:
    data = b"P5\n3 2\n1023\n" + np.array([1, 2, 3, 4, 5, 1024], ">u2").tobytes()
    with pytest.raises(UsageError, match="larger than the largest"):
        arcodec.compress(data, media="image")
    assert arcodec.decompress(arcodec.compress(data, media="auto", preset="fast")) == data


def test_more_than_a_picture_is_left_as_bytes() -> None:
    frame = b"P6\n40 40\n255\n" + photo(40, 40).tobytes()
    (member,) = container.members(arcodec.compress(frame * 3, media="auto", preset="fast"))
    assert member.header.picture is None
    assert arcodec.decompress(arcodec.compress(frame + b"a note", media="image", preset="fast")) == frame + b"a note"


@pytest.mark.parametrize("media", ["auto", "image"])
def test_damaged_files_are_taken_as_bytes_or_refused(media: str) -> None:
    random = np.random.default_rng(9)
    kinds = [tiff(photo()), WRAPPED["png"], saved(Image.fromarray(photo()).convert("P"), "GIF")]
    for data in kinds:
        for _ in range(40):
            changed = bytearray(data)
            for at in random.integers(8, min(len(data), 200), 3):
                changed[at] = random.integers(256)
            try:
                raster, _ = images.read(bytes(changed), media)
            except UsageError:
                assert media == "image"
            else:
                assert raster is None or raster.samples.size


ODD = ('{"palette":"zz"}', '{"palette":5}', '{"exif":3}', '{"dpi":"x"}', '{"dpi":[1]}', '{"text":[1]}', "[" * 100_000)


@pytest.mark.parametrize("held", ODD)
def test_hostile_envelopes_are_damage(held: str) -> None:
    envelope = bytes([2 + 1]) + zlib.compress(held.encode())
    with pytest.raises((DamagedError, UsageError)):
        images.write(images.Raster(np.zeros((2, 2, 1), np.uint8), 8, envelope))


@pytest.mark.parametrize("name", ["BMP", "PPM", "TGA", "WEBP", "TIFF"])
def test_formats_that_would_lose_something_are_refused(name: str) -> None:
    clear = Image.fromarray(photo(8, 8)).convert("P")
    raster = images.wrapped.read(saved(clear, "PNG", transparency=3))
    with pytest.raises(UsageError, match=r"write it as PNG|cannot be written"):
        images.write(raster, name)
    grey = images.of_array(photo(8, 8, 2))
    with pytest.raises(UsageError):
        images.write(grey, "BMP")


def test_several_pictures_in_one_file_are_not_written_as_one() -> None:
    one = arcodec.compress(WRAPPED["png"], media="image", preset="fast")
    with pytest.raises(UsageError, match="several pictures"):
        arcodec.decompress(one + one)
    ppm = b"P6\n4 4\n255\n" + photo(4, 4).tobytes()
    two = arcodec.compress(ppm, media="image", preset="fast") * 2
    assert arcodec.decompress(two) == ppm * 2


def test_a_row_that_takes_too_much_memory_is_taken_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = b"P5\n3000 1\n255\n" + bytes(3000)
    raster, _ = images.read(wide, "image")
    assert raster is not None
    assert pictures.affordable(raster, "fast", Resources())
    assert not pictures.affordable(raster, "fast", Resources(max_memory=1 << 20))
    with pytest.raises(LimitError):
        arcodec.compress(wide, media="image", max_memory=1 << 20, preset="fast")
    monkeypatch.setattr(pictures, "affordable", lambda *_: False)
    (member,) = container.members(arcodec.compress(wide, media="auto", preset="fast"))
    assert member.header.picture is None


def test_verification_makes_the_file_again(monkeypatch: pytest.MonkeyPatch) -> None:
    write = images.write
    monkeypatch.setattr(images, "write", lambda raster, name="PNG": write(raster, name) + b"!")
    ppm = b"P6\n4 4\n255\n" + photo(4, 4).tobytes()
    with pytest.raises(arcodec.ArcodecError, match="does not come back"):
        arcodec.compress(ppm, media="image", preset="fast")


def test_sizes_are_those_of_files() -> None:
    bits = b"P4\n30 20\n" + bytes(80)
    content = arcodec.compress(bits, media="image", preset="fast")
    (member,) = container.members(content)
    assert member.header.original_bytes == 80
    assert arcodec.decompress(content, max_output_size=100) == bits
