"""How fast to learn when: one schedule for all training."""

from __future__ import annotations

from typing import Protocol

_LAST = 0.02  # of the first rate


class Schedule(Protocol):
    """What of a recipe the schedule asks for."""

    @property
    def warmup(self) -> int:
        """Optimiser steps until the whole rate."""

    @property
    def decay_from(self) -> float:
        """Share of the time after which the rate falls."""


def rate_at(recipe: Schedule, step: int, share: float) -> float:
    """Factor on the learning rates: warm-up by steps, then constant, then linear in the share of time used."""
    warm = min(1.0, (step + 1) / recipe.warmup)
    if share < recipe.decay_from:
        return warm
    return warm * max(_LAST, 1 - (1 - _LAST) * (share - recipe.decay_from) / (1 - recipe.decay_from))
