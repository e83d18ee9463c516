"""What an experiment gives: figures that were measured, and whether the theory held on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings; every unit is in its heading."""

    caption: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str | float, ...]]


@dataclass(frozen=True)
class Curve:
    """Points of a plot, joined by a line or not."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    line: bool = True


@dataclass(frozen=True)
class Plot:
    """Curves over common axes."""

    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Check:
    """A statement of the theory, and whether what was measured agrees."""

    statement: str
    holds: bool


@dataclass(frozen=True)
class Result:
    """What one run of an experiment measured."""

    theory: str
    tables: Sequence[Table]
    plots: Sequence[Plot]
    checks: Sequence[Check]

    @property
    def holds(self) -> bool:
        """Whether every check does."""
        return all(check.holds for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain | {"holds": self.holds}


def _plain(value: Any) -> Any:
    """Lists for sequences, Python's numbers for numpy's."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


class Experiment(Protocol):
    """A module of this folder."""

    THEORY: str

    def run(self, seed: int, quick: bool) -> Result:
        """Measure. quick: with less data, in seconds."""
        ...
