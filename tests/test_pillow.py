"""The format as Pillow knows it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arcodec
import arcodec.pillow

from .media.test_images import photo


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

    monkeypatch.setattr(arcodec.pillow.codec, "iter_decompressed", fail)
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
