"""What a process may use: the machine's own figures, and a container's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from arcodec import machine


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the limits of a container stand; there are none."""
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    return tmp_path


def write(groups: Path, name: str, content: str) -> None:
    (groups / name).parent.mkdir(exist_ok=True)
    (groups / name).write_text(content)


def test_without_limits_all_is_at_hand(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.available_cores() == 8
    assert machine.installed_memory() > 1 << 28
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert machine.installed_memory() == 4 << 30
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.available_cores() == 1


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", 8),
        ("50000 100000", 1),
        ("190000 100000", 1),
        ("200000 100000", 2),
        ("9900000 100000", 8),
        ("", 8),
        ("100000", 8),
    ],
)
def test_cores_of_a_container(groups: Path, quota: str, cores: int) -> None:
    write(groups, "cpu.max", quota + "\n")
    assert machine.available_cores() == cores


@pytest.mark.parametrize(("quota", "cores"), [(-1, 8), (0, 8), (300000, 3)])
def test_cores_of_an_older_container(groups: Path, quota: int, cores: int) -> None:
    write(groups, "cpu/cpu.cfs_quota_us", f"{quota}\n")
    write(groups, "cpu/cpu.cfs_period_us", "100000\n")
    assert machine.available_cores() == cores


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_memory_of_a_container(groups: Path, name: str) -> None:
    own = machine.installed_memory()
    for content, memory in (("max", own), (str(1 << 62), own), ("1048576", 1 << 20)):
        write(groups, name, content + "\n")
        assert machine.installed_memory() == memory
