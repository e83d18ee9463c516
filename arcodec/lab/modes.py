"""One source with two modes, fitted in both directions of the KL divergence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..sources import Chain, kl_rate, mean_with_interval
from . import coded
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "Least KL(p||q), which is maximum likelihood, makes q cover every mode of p and pays a little everywhere; least "
    "KL(q||p) makes q seek one mode, which looks good in its samples and pays dearly for whatever lies in the other."
)
_VALUES = torch.arange(256.0)
_FLOOR = 1e-4  # of uniform distribution in every q, so that nothing is impossible
_REGION = 0.99  # of a distribution's mass: what it holds possible


def _source() -> np.ndarray:
    """Two modes, unlike each other and unlike a Gaussian."""
    x = np.arange(256)
    p = 0.6 * np.exp(-np.abs(x - 75) / 7) / 14 + 0.4 * np.exp(-np.abs(x - 180) / 11) / 22 + 1e-6
    return np.asarray(p / p.sum())


def _gaussians(parameters: torch.Tensor) -> torch.Tensor:
    """A mixture's probabilities (256,) from its parameters (3, components): mean, log deviation, logit of weight."""
    mean, log_deviation, logit = parameters
    density = torch.exp(-0.5 * ((_VALUES[:, None] - mean) / log_deviation.exp()) ** 2 - log_deviation)
    mixed = (density * torch.softmax(logit, 0)).sum(1) + 1e-30
    return (1 - _FLOOR) * mixed / mixed.sum() + _FLOOR / 256


def _divergence(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    return (p * torch.log2(p / q)).sum()


def fit(p: np.ndarray, components: int, reverse: bool, steps: int) -> np.ndarray:
    """The mixture of so many Gaussians nearest to p in one direction or the other, the best of several starts."""
    target, best, least = torch.from_numpy(p).float(), p, np.inf
    for first in (60.0, 120.0, 190.0):
        means = torch.linspace(first, 256 - first, components) if components > 1 else torch.tensor([first])
        parameters = torch.stack([means, torch.full((components,), 3.0), torch.zeros(components)]).requires_grad_()
        optimiser = torch.optim.Adam([parameters], lr=0.3)
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = 0.3 * (1 - step / steps) + 1e-3
            optimiser.zero_grad()
            q = _gaussians(parameters)
            loss = _divergence(q, target) if reverse else _divergence(target, q)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        if loss.item() < least:
            least = loss.item()
            best = _gaussians(parameters.detach()).double().numpy()
    return np.asarray(best / best.sum())


def _possible(p: np.ndarray) -> np.ndarray:
    """The fewest values that hold 99 % of the mass, (256,) bool."""
    order = np.argsort(-p)
    inside = np.zeros(len(p), bool)
    inside[order[: int(np.searchsorted(np.cumsum(p[order]), _REGION)) + 1]] = True
    return inside


@dataclass(frozen=True)
class _Fit:
    name: str
    q: np.ndarray
    forward: float  # KL(p||q), bits
    reverse: float
    excess: float  # measured, bits/symbol
    interval: float
    precision: float  # share of q's samples that p holds possible
    recall: float  # share of p's samples that q holds possible


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    count, steps = (8_000, 300) if quick else (200_000, 1500)
    p = _source()
    source = Chain(p[None])
    symbols = source.sample(count, seed)
    information = source.information(symbols)
    fits: dict[tuple[int, bool], _Fit] = {}
    for components, shape in ((1, "one Gaussian"), (2, "two Gaussians")):
        for reverse in (False, True):
            q = fit(p, components, reverse, steps)
            model = Chain(q[None])
            bits = coded.bits_under(symbols, model)
            rate = mean_with_interval(model.information(symbols) - information)
            fits[components, reverse] = _Fit(
                f"{shape}, {'reverse KL(q||p)' if reverse else 'forward KL(p||q)'}",
                q,
                kl_rate(source, model).value,
                kl_rate(model, source).value,
                (bits - information.sum()) / count,
                1.51 * rate.interval + coded.allowed(bits) / count,
                float(q[_possible(p)].sum()),
                float(p[_possible(q)].sum()),
            )
    table = Table(
        f"{count:,} samples of p, coded with each q",
        ("fit", "KL(p||q), bits", "KL(q||p), bits", "measured excess, bits/symbol", "precision", "recall"),
        [(f.name, f.forward, f.reverse, f.excess, f.precision, f.recall) for f in fits.values()],
    )
    cover, seek = fits[1, False], fits[1, True]
    checks = [
        Check("the bill of each fit is KL(p||q)", all(abs(f.excess - f.forward) <= f.interval for f in fits.values())),
        Check("each direction wins by its own measure", cover.forward < seek.forward and seek.reverse < cover.reverse),
        Check("one Gaussian that seeks pays more than twice what one that covers pays", seek.excess > 2 * cover.excess),
        Check("covering has the recall", cover.recall > 0.95 > seek.recall),
        Check("seeking has the precision", seek.precision > 0.95 > cover.precision),
        Check("with two Gaussians there is little left to choose", fits[2, True].excess < 0.5 * seek.excess),
    ]
    x = list(range(256))
    plot = Plot(
        "The source and its fits",
        "value",
        "probability",
        (Curve("p", x, p.tolist()), *(Curve(f.name, x, f.q.tolist()) for f in fits.values())),
    )
    return Result(THEORY, (table,), (plot,), checks)
