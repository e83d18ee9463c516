from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

import pytest

import arcodec
from arcodec.bench import corpora, peers


def test_files_of_folders_are_compressed_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    xz = peers.Peer("xz", lzma.compress, lzma.decompress)
    monkeypatch.setattr(peers, "available", lambda: ([xz], ["zpaq"]))
    (tmp_path / "notes" / "more").mkdir(parents=True)
    contents = [f"Of {n} files, each must be read from its own beginning.\n".encode() * 4 for n in range(4)]
    for n, content in enumerate(contents):
        (tmp_path / "notes" / ("more" if n == 2 else "") / f"{n}.txt").write_bytes(content)
    (tmp_path / "notes" / "again.txt").write_bytes(contents[0])
    first = sorted(contents, key=lambda content: hashlib.sha256(content).digest())[:3]
    *_, row, missing = corpora.files([tmp_path / "notes"], len(first[0]) + len(first[1]) + 1)
    taken = [sum(len(arcodec.compress(content, model)) for content in first) for model in (None, "text")]
    theirs = sum(len(lzma.compress(content)) for content in first)
    assert row == f"| notes | 3 | {sum(map(len, first)):,} | {taken[0]:,} | {taken[1]:,} | {theirs:,} |"
    assert missing == "Not installed, hence not measured: zpaq."


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no files in"):
        list(corpora.files([tmp_path], 1))
