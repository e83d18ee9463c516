"""The loop around a trainer: until the minutes are used up, with checkpoints, validation and reports on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

_TOLD_SECONDS = 10

_Valid = TypeVar("_Valid")


class Timed(Protocol):
    """How long to train."""

    @property
    def minutes(self) -> float:
        """In all."""

    @property
    def valid_minutes(self) -> float:
        """Between validations."""


class Trainable(Protocol):
    """What is trained."""

    seconds: float  # spent on it, also before it was taken up again

    def advance(self) -> float:
        """One optimiser step; its loss."""

    def save(self, path: Path) -> None:
        """Write a checkpoint."""


def run(
    trainer: Trainable,
    recipe: Timed,
    checkpoint: Path,
    checkpoint_seconds: float,
    validate: Callable[[], _Valid],
    report: Callable[[float, _Valid | None], None],
) -> None:
    """Train; report is told of the mean loss since it was told last, and what validation found if there was one."""
    saved = told = validated = trainer.seconds
    losses: list[float] = []
    while trainer.seconds < 60 * recipe.minutes:
        start = time.monotonic()
        losses.append(trainer.advance())
        trainer.seconds += time.monotonic() - start
        over = trainer.seconds >= 60 * recipe.minutes
        if trainer.seconds - saved > checkpoint_seconds or over:
            trainer.save(checkpoint)
            saved = trainer.seconds
        valid = None
        if trainer.seconds - validated > 60 * recipe.valid_minutes or over:
            valid, validated = validate(), trainer.seconds
        if valid or trainer.seconds - told > _TOLD_SECONDS:
            report(sum(losses) / len(losses), valid)
            told, losses = trainer.seconds, []
