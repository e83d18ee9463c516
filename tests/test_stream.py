from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

import arcodec
from arcodec.errors import DamagedError, LimitError, UsageError
from tests.conftest import GOLDEN


def test_bytes_and_text_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "a.arc"
    with arcodec.open(path, "wb", model="none") as file:
        file.write(b"one\n")
        file.write(b"two\n")
    with arcodec.open(path) as file:
        assert file.read() == b"one\ntwo\n"
    with arcodec.open(path, "wt", model="none", encoding="utf-16") as text:
        text.write("drei\nvier\n")
    with arcodec.open(path, "rt", encoding="utf-16") as text:
        assert list(text) == ["drei\n", "vier\n"]


def test_reading_anywhere(tmp_path: Path) -> None:
    data = random.Random(0).randbytes(5000)
    path = tmp_path / "a.arc"
    joined = arcodec.compress(data[:3000], "none", block_size=700) + arcodec.compress(data[3000:], "none")
    path.write_bytes(joined)
    with arcodec.open(path) as file:
        for at in (0, 4999, 700, 699, 2999, 3000, 1234, 5000, 6000):
            assert file.seek(at) == at
            assert file.read(500) == data[at : at + 500]
        assert file.seek(-10, io.SEEK_END) == 4990
        assert file.read() == data[-10:]
        file.seek(5)
        file.seek(5, io.SEEK_CUR)
        assert file.tell() == 10
        with pytest.raises(ValueError, match="seek"):
            file.raw.seek(-1)  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="whence"):
            file.raw.seek(0, 7)  # type: ignore[attr-defined]


def test_only_the_blocks_read_are_decoded(tmp_path: Path) -> None:
    data = b"Once upon a time " * 3 + b"there was a block of fifty-one bytes; and another."
    content = bytearray(arcodec.compress(data, "none", block_size=51))
    content[-30] ^= 1  # in the second block
    path = tmp_path / "a.arc"
    path.write_bytes(content)
    with arcodec.open(path) as file:
        assert file.read(51) == data[:51]
        with pytest.raises(DamagedError):
            file.read(1)


@pytest.mark.parametrize("mode", ["wb", "wt"])
def test_an_exception_leaves_no_file(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.arc"
    with pytest.raises(ZeroDivisionError), arcodec.open(path, mode, model="none") as file:  # type: ignore[call-overload]
        file.write("x" if mode == "wt" else b"x")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["wb", "wt"])
def test_a_file_given_up_is_not_written(tmp_path: Path, mode: str) -> None:
    file = arcodec.open(tmp_path / "a.arc", mode, model="none")  # type: ignore[call-overload]
    file.write("x" if mode == "wt" else b"x")
    del file
    assert list(tmp_path.iterdir()) == []


def test_models_given_by_path(tmp_path: Path) -> None:
    model, text = str(GOLDEN / "small-recurrent.safetensors"), "the price of a letter is the sum of the strokes. " * 9
    with arcodec.open(tmp_path / "a.arc", "wt", model=model) as file:
        file.write(text)
    with arcodec.open(tmp_path / "a.arc", "rt", model=model) as file:
        assert file.read() == text


def test_exclusive_creation(tmp_path: Path) -> None:
    path = tmp_path / "a.arc"
    with arcodec.open(path, "xb", model="none") as file:
        file.write(b"x")
    with pytest.raises(FileExistsError):
        arcodec.open(path, "xb")


def test_limits_and_wrong_arguments(tmp_path: Path) -> None:
    path = tmp_path / "a.arc"
    path.write_bytes(arcodec.compress(b"12345", "none"))
    with pytest.raises(LimitError):
        arcodec.open(path, max_output_size=4)
    with pytest.raises(UsageError, match="mode"):
        arcodec.open(path, "a")  # type: ignore[call-overload]
    with pytest.raises(FileNotFoundError):
        arcodec.open(tmp_path / "no folder" / "a.arc", "wb")
    with pytest.raises(FileNotFoundError):
        arcodec.open(tmp_path / "missing.arc")


def test_reading_within_a_memory_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.arc"
    path.write_bytes(arcodec.compress(b"some text " * 100, preset="fast"))
    with arcodec.open(path, max_memory=1 << 30) as file:
        assert file.read(4) == b"some"
    with arcodec.open(path, max_memory=1 << 20) as file, pytest.raises(LimitError, match="max memory"):
        file.read(4)
