"""The experiments: one idea a file, each a sentence of theory, a measured table, a plot, and checks that it holds."""

from __future__ import annotations

from importlib import import_module

from ..errors import UsageError
from .experiment import Experiment, Result

NAMES = (
    "codes",
    "kl",
    "modes",
    "mle",
    "montecarlo",
    "chain",
    "families",
    "sgd",
    "capacity",
    "entropy-limit",
    "sampling",
    "classify",
)


def experiment(name: str) -> Experiment:
    """The module of one of NAMES. Raises UsageError."""
    if name not in NAMES:
        raise UsageError(f"no experiment {name!r}: there are {', '.join(NAMES)}")
    module: Experiment = import_module(f".{name.replace('-', '_')}", __package__)
    return module


def run(name: str, seed: int = 0, quick: bool = False) -> Result:
    """Run one of NAMES; the same figures for the same seed. quick: with less data, in seconds.

    Raises UsageError for another name.
    """
    return experiment(name).run(seed, quick)
