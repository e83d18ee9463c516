"""What is no picture, or a damaged one, or would lose something: it is said, or taken as bytes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import arcodec
from arcodec import container, pictures
from arcodec.errors import DamagedError, LimitError, UsageError
from arcodec.media import images, raw
from arcodec.media.raster import UnfitError
from arcodec.predictor import Resources
from tests.media.samples import EXACT, JPEG, WRAPPED, photo, pnm, saved, tiff

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


def test_damaged_envelopes() -> None:
    from arcodec.media.raster import Raster

    pixels = photo()
    for envelope in (b"\x01\x00", b"\x01\xff\0\0\0\0", b"\x09", b"\x03junk"):
        with pytest.raises(DamagedError):
            images.write(Raster(pixels, 8, envelope))
    with pytest.raises(UnfitError):
        raw.read_bmp(b"BM")


def test_a_tiff_of_sixteen_bits_in_colour_is_not_cut() -> None:
    samples = photo(6, 5, depth=16)
    words = [(256, 5), (257, 6), (258, 110), (259, 1), (262, 2), (273, 300), (277, 3), (279, samples.nbytes)]
    entries = b"".join(struct.pack("<HHII", tag, 3, 3 if tag == 258 else 1, value) for tag, value in words)
    head = struct.pack("<4sIH", b"II*\0", 8, len(words)) + entries + bytes(4) + struct.pack("<3H", 16, 16, 16)
    data = head.ljust(300, b"\0") + samples.astype("<u2").tobytes()
    with pytest.raises(UsageError, match="more bits a sample"):
        arcodec.compress(data, media="image", preset="fast")
    assert arcodec.decompress(arcodec.compress(data, media="auto", preset="fast")) == data


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
