"""Pictures at the terminal: what becomes of a file is said, and what it is called."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tests.cli.conftest import Run
from tests.media.samples import EXACT, WRAPPED, photo


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def form(path: str) -> str | None:
    with Image.open(path) as image:
        return image.format


def test_a_png_comes_back_as_a_picture_and_that_is_said(run: Run) -> None:
    Path("a.png").write_bytes(WRAPPED["png"])
    result = run("compress", "a.png", "--preset", "fast")
    assert result.code == 0
    assert "PNG written anew (--media bytes" in result.err
    assert run("compress", "-q", "-f", "a.png", "--preset", "fast").err == ""
    Path("a.png").unlink()
    assert run("decompress", "a.png.arc").code == 0
    assert np.array_equal(pixels("a.png"), photo())


def test_bytes_on_request(run: Run) -> None:
    Path("a.webp").write_bytes(WRAPPED["webp"])
    assert run("compress", "a.webp", "--preset", "fast", "--media", "bytes").err == ""
    assert run("decompress", "-c", "a.webp.arc").out == WRAPPED["webp"]


def test_raw_files_come_back_byte_for_byte_without_a_word(run: Run) -> None:
    Path("a.ppm").write_bytes(EXACT["ppm"])
    assert run("compress", "a.ppm", "--preset", "fast").err == ""
    assert run("decompress", "-c", "a.ppm.arc").out == EXACT["ppm"]
    assert run("test", "a.ppm.arc").code == 0


def test_a_picture_or_nothing(run: Run) -> None:
    Path("a.txt").write_bytes(b"no picture at all, a text")
    result = run("compress", "a.txt", "--media", "image")
    assert result.code == 2
    assert "cannot be taken as a picture" in result.err
    assert not Path("a.txt.arc").exists()


def test_the_name_says_the_format(run: Run) -> None:
    Path("a.tif").write_bytes(WRAPPED["tiff"])
    Path("b.gif").write_bytes(WRAPPED["gif"])
    assert run("compress", "a.tif", "b.gif", "--preset", "fast").code == 0
    Path("a.tif").unlink()
    assert run("decompress", "a.tif.arc").code == 0
    assert form("a.tif") == "TIFF"
    assert run("decompress", "a.tif.arc", "-o", "a.webp").code == 0
    assert form("a.webp") == "WEBP"
    assert np.array_equal(pixels("a.webp"), photo())
    assert run("decompress", "b.gif.arc").code == 0  # b.gif is not touched
    assert form("b.gif.png") == "PNG"
    assert Image.open(io.BytesIO(run("decompress", "-c", "b.gif.arc").out)).format == "PNG"


def test_the_account_at_the_terminal(run: Run) -> None:
    Path("a.ppm").write_bytes(EXACT["ppm"])
    result = run("compress", "-vv", "a.ppm", "--preset", "fast")
    assert result.code == 0
    assert "bits/dim" in result.err
    assert "green: " in result.err
    assert "recall 1" in result.err
    assert run("ledger", "a.ppm.arc").code == 0
