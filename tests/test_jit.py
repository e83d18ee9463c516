from __future__ import annotations

import os
from pathlib import Path

import pytest
from numba.core import config

from arcodec import jit


def test_compiled_code_is_kept_apart_for_each_state_of_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = jit.cache_folder()
    assert os.path.basename(folder).startswith("kernels-")
    jit.cache_folder.cache_clear()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == "kernels.py" else b""))
    try:
        assert jit.cache_folder() != folder
    finally:
        jit.cache_folder.cache_clear()


def test_numbas_own_setting_is_left_alone() -> None:
    before = config.CACHE_DIR
    assert jit.kernel(lambda x: x + 1)(1) == 2
    assert before == config.CACHE_DIR


def test_compiling_is_announced_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jit, "cache_folder", lambda: str(tmp_path))
    told = []
    with jit.before_compiling(lambda: told.append(1)):
        assert jit.kernel(lambda x: x + 2)(1) == 3
        assert jit.kernel(lambda x: x + 3)(1) == 4
    assert jit.kernel(lambda x: x + 4)(1) == 5
    assert told == [1]
