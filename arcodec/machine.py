"""What this machine, or the container on it, lets a process use."""

from __future__ import annotations

import os
from pathlib import Path

_UNKNOWN_MEMORY = 4 << 30  # where the system does not say
_GROUPS = Path("/sys/fs/cgroup")  # of a Linux container, seen from inside


def available_cores() -> int:
    """The cores this process may run on, no more than a container may have at work."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _limits("cpu.max") or _limits("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")
    if len(quota) == 2:  # of each period, so much; what is left of a core would only stop the others
        cores = min(cores, max(1, quota[0] // quota[1]))
    return cores


def installed_memory() -> int:
    """Bytes of physical memory, no more than a container may take."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = _UNKNOWN_MEMORY
    return min([memory, *_limits("memory.max"), *_limits("memory/memory.limit_in_bytes")])


def _limits(*names: str) -> list[int]:
    """The numbers in these files, which are of version 2 of control groups or of version 1; none if nothing is set."""
    try:
        numbers = [int(word) for name in names for word in (_GROUPS / name).read_text().split()]
    except (OSError, ValueError):  # there is no such file, or it says "max"
        return []
    return numbers if all(number > 0 for number in numbers) else []
