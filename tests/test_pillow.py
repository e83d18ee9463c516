"""The format as Pillow knows it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arcodec
import arcodec.pillow

from .media.samples import photo


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_saved_and_opened(tmp_path: Path, mode: str) -> None:
    made = Image.fromarray(photo())
    image = made.quantize(20) if mode == "P" else made.convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(photo(channels=1, depth=16)[..., 0])
    image.save(tmp_path / "x.arc", preset="fast")
    with Image.open(tmp_path / "x.arc") as opened:
        assert (opened.format, opened.mode, opened.size) == ("ARC", mode, image.size)
        assert np.array_equal(np.asarray(opened), np.asarray(image))
        assert opened.convert("RGBA").tobytes() == image.convert("RGBA").tobytes()


def test_opening_decodes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    content = arcodec.compress_image(photo(), preset="fast")
    opened = Image.open(io.BytesIO(content))

    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(arcodec.pillow.pictures, "raster_of", fail)
    assert opened.size == (56, 40)
    with pytest.raises(AssertionError):
        opened.load()


def test_what_cannot_be_opened_or_saved() -> None:
    for content in (
        arcodec.compress(b"bytes", preset="fast"),
        arcodec.compress_image(photo(depth=16), preset="fast"),
        arcodec.compress_image(photo(), preset="fast")[:9],
    ):
        with pytest.raises(OSError, match="cannot identify"):
            Image.open(io.BytesIO(content))
    damaged = bytearray(arcodec.compress_image(photo(), preset="fast"))
    damaged[-5] ^= 1
    with pytest.raises(OSError, match="damaged"):
        Image.open(io.BytesIO(damaged)).load()
    with pytest.raises(OSError, match="CMYK"):
        Image.fromarray(photo()).convert("CMYK").save(io.BytesIO(), "ARC")
    with pytest.raises(ValueError, match="preset"):
        Image.fromarray(photo()).save(io.BytesIO(), "ARC", preset="slowest")


def test_what_is_given_at_saving_and_notes_are_kept(tmp_path: Path) -> None:
    from PIL import PngImagePlugin

    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "a slope")
    Image.fromarray(photo()).save(tmp_path / "a.png", pnginfo=notes)
    with Image.open(tmp_path / "a.png") as image:
        image.save(tmp_path / "a.arc", preset="fast", dpi=(72, 72), icc_profile=b"a profile")
    with Image.open(tmp_path / "a.arc") as image:
        image.load()
        assert image.info["icc_profile"] == b"a profile"
        assert image.info["dpi"] == (72, 72)
        assert image.text == {"Title": "a slope"}  # type: ignore[attr-defined]
        image.save(tmp_path / "b.arc", preset="fast")
    with Image.open(tmp_path / "b.arc") as image:
        image.load()
        assert image.text == {"Title": "a slope"}  # type: ignore[attr-defined]


def test_of_several_frames_none_is_lost(tmp_path: Path) -> None:
    frames = [Image.fromarray(photo()).convert("P"), Image.fromarray(photo(40, 56, 3)[::-1].copy()).convert("P")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.gif") as image, pytest.raises(OSError, match="several frames"):
        image.save(tmp_path / "a.arc")


def test_every_file_that_is_opened_is_loaded_as_it_said(tmp_path: Path) -> None:
    array = photo(9, 7, 4)
    pam = b"P7\nWIDTH 7\nHEIGHT 9\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" + array.tobytes()
    deep = b"P5\n7 9\n65535\n" + photo(9, 7, 1, 16).astype(">u2").tobytes()
    for name, data in (("pam", pam), ("pgm", deep)):
        (tmp_path / f"{name}.arc").write_bytes(arcodec.compress(data, media="image", preset="fast"))
        with Image.open(tmp_path / f"{name}.arc") as image:
            mode, size = image.mode, image.size
            image.load()
            assert (image.mode, image.size) == (mode, size)
    with Image.open(tmp_path / "pam.arc") as image:
        assert np.array_equal(np.asarray(image), array)
