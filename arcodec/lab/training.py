"""Small networks, trained for so many steps, the same ones for the same seed, and written to files that code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..models.registry import Design
from ..training.corpus import Source
from ..training.export import write_model
from ..training.loop import Recipe, Trainer


def trained(
    design: Design,
    data: np.ndarray,
    steps: int,
    seed: int,
    tell: Callable[[int, float, Trainer], Any] = lambda step, loss, trainer: None,
    **recipe: Any,
) -> Trainer:
    """A network after so many optimiser steps on data (n,) uint8. tell: called after each with its loss in bits.

    recipe: other settings of ``Recipe`` than those for a few steps of a small network.
    """
    settings: dict[str, Any] = {"lanes": 8, "steps": 128, "run": 8, "rate": 6e-3, "table_rate": 1.2e-2, "warmup": 10}
    trainer = Trainer(
        Design.of(design.family, **design.settings()), Recipe(seed=seed, **settings | recipe), *_one(data)
    )
    for step in range(steps):
        # The rate falls with the share of the time that is used up; here steps are the time, so that runs repeat.
        trainer.seconds = 60 * trainer.recipe.minutes * step / steps
        tell(step, trainer.advance(), trainer)
    return trainer


def _one(data: np.ndarray) -> tuple[Sequence[Source], Sequence[Source]]:
    return [Source("data", data, 1.0)], []


def written(trainer: Trainer, folder: Path, name: str) -> str:
    """The network as a model file, by its path."""
    path = folder / f"{name}.safetensors"
    write_model(trainer.network, trainer.design, path)
    return str(path)
