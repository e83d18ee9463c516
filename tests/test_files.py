from __future__ import annotations

import os
from pathlib import Path

import pytest

from arcodec.errors import UsageError
from arcodec.files import discard_unfinished, replacing


def test_either_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    with pytest.raises(OSError, match="disk"), replacing(target, overwrite=True) as file:
        file.write(b"ne")
        raise OSError("disk full")
    assert target.read_bytes() == b"old"
    with replacing(target, overwrite=True) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["target"]


def test_no_overwriting_unless_told(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    with pytest.raises(UsageError, match="-f"), replacing(target, overwrite=False):
        pass
    assert target.read_bytes() == b"old"


def test_no_overwriting_of_what_appears_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with pytest.raises(UsageError, match="exists"), replacing(target, overwrite=False) as file:
        file.write(b"mine")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["target"]


def test_file_systems_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    with replacing(tmp_path / "target", overwrite=False) as file:
        file.write(b"x")
    assert os.listdir(tmp_path) == ["target"]


def test_mode_and_times_are_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    source.chmod(0o4640)  # setuid is not copied: the owner is not, either
    os.utime(source, ns=(10**18, 10**18 + 5))
    with replacing(tmp_path / "target", overwrite=False, like=source.stat()) as file:
        file.write(b"y")
    status = (tmp_path / "target").stat()
    assert status.st_mode & 0o7777 == 0o640
    assert status.st_mtime_ns == 10**18 + 5


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "target", overwrite=False) as file:
            file.write(b"y")
    finally:
        os.umask(before)
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o640


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"), replacing(tmp_path, overwrite=True):
        pass


def test_an_overwritten_file_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"secret")
    target.chmod(0o600)
    with replacing(target, overwrite=True) as file:
        file.write(b"new")
    assert target.stat().st_mode & 0o777 == 0o600


def test_links_are_followed_and_pipes_written_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with replacing(tmp_path / "link", overwrite=True) as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with replacing(tmp_path / "pipe", overwrite=True) as file:
            file.write(b"through")
        assert os.read(reader, 10) == b"through"
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_long_names_and_missing_folders(tmp_path: Path) -> None:
    with replacing(tmp_path / ("\u6f22" * 80), overwrite=False) as file:
        file.write(b"x")
    with pytest.raises(FileNotFoundError, match="nowhere"), replacing(tmp_path / "nowhere" / "a", overwrite=False):
        pass


def test_what_is_unfinished_can_be_discarded(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    with pytest.raises(FileNotFoundError), replacing(target, overwrite=True) as file:
        file.write(b"ne")
        discard_unfinished()
        assert os.listdir(tmp_path) == ["target"]
    assert target.read_bytes() == b"old"
    discard_unfinished()
    assert target.read_bytes() == b"old"
