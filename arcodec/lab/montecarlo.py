"""Estimates from samples: of an expectation, of a KL divergence, of a gradient."""

from __future__ import annotations

import numpy as np

from ..sources import Chain, kl_rate
from . import coded
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "The mean of T independent samples is an unbiased estimate of an expectation; its error falls as 1 / sqrt(T), and "
    "an interval made from the samples' own spread covers as often as it says. A minibatch's gradient is one, "
    "too."
)
_95 = 1.959964  # the normal distribution's 97.5 % quantile
_BATCHES = (1, 4, 16, 64, 256)


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def _estimates(values: np.ndarray, truth: float) -> tuple[float, float, float, float]:
    """Bias, its standard error, root mean square error and coverage of 95 % intervals: values (repeats, samples)."""
    means = values.mean(1)
    half = _95 * values.std(1, ddof=1) / values.shape[1] ** 0.5
    error = means - truth
    covered = float((np.abs(error) <= half).mean())
    return (
        float(error.mean()),
        float(error.std(ddof=1) / len(error) ** 0.5),
        float((error**2).mean() ** 0.5),
        covered,
    )


def _gradients(seed: int, repeats: int) -> tuple[np.ndarray, float, float]:
    """Noise of a logistic regression's minibatch gradients by batch size, worst bias in standard errors, its slope."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(4096, 8))
    y = generator.random(4096) < 1 / (1 + np.exp(-x @ generator.normal(size=8)))
    each = (0.5 - y)[:, None] * x  # of the code length in nats, at weights of nothing
    full = each.mean(0)
    noise, worst = [], 0.0
    for size in _BATCHES:
        picked = generator.integers(0, len(x), (repeats, size))
        off = each[picked].mean(1) - full
        noise.append(float((off**2).sum(1).mean()))
        worst = max(worst, float(np.abs(off.mean(0) / (off.std(0, ddof=1) / repeats**0.5)).max()))
    return np.array(noise), worst, _slope(np.array(_BATCHES), np.array(noise))


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    repeats, lengths = (400, (10, 100, 1000)) if quick else (2000, (10, 30, 100, 300, 1000, 3000))
    source = Chain(np.array([[0.4, 0.3, 0.2, 0.1]]))
    model = Chain(np.array([[0.1, 0.2, 0.3, 0.4]]))
    truth, entropy = kl_rate(source, model).value, source.entropy_rate().value
    errors: dict[str, list[float]] = {"expectation": [], "KL": []}
    rows, checks = [], []
    for number, length in enumerate(lengths):
        symbols = source.sample(length * repeats, seed + number)
        information = source.information(symbols).reshape(repeats, length)
        ratio = model.information(symbols).reshape(repeats, length) - information
        for name, values, true in (("expectation", information, entropy), ("KL", ratio, truth)):
            bias, standard, rms, covered = _estimates(values, true)
            rows.append((name, length, true, bias, standard, rms, covered))
            errors[name].append(rms)
            checks.append(Check(f"{name} from {length} samples is unbiased", abs(bias) < 4 * standard))
            if length >= 100:
                allowed = 4 * (0.95 * 0.05 / repeats) ** 0.5 + 0.01
                checks.append(Check(f"{name} from {length}: 95 % intervals cover", abs(covered - 0.95) < allowed))
    for name, rms_errors in errors.items():
        slope = _slope(np.array(lengths), np.array(rms_errors))
        checks.append(
            Check(f"{name}: the error falls as T to the power {slope:.3f}, near -1/2", abs(slope + 0.5) < 0.05)
        )
    last = symbols[: 20_000 if quick else 200_000]
    bits = coded.bits_under(last, model) - coded.bits_under(last, source)
    estimate = float((model.information(last) - source.information(last)).sum())
    checks.append(
        Check(
            "two real files differ by the estimate of KL",
            abs(bits - estimate) <= coded.allowed(bits) * 2 + 2e-4 * len(last),
        )
    )
    noise, worst, slope = _gradients(seed, 50 * repeats // 4)
    checks.append(Check("minibatch gradients are unbiased", worst < 4.5))
    checks.append(Check(f"their variance falls as the batch to the power {slope:.3f}, near -1", abs(slope + 1) < 0.03))
    headings = ("of", "samples T", "truth, bits", "bias", "standard error", "rms error", "covered by 95 % intervals")
    table = Table(f"Estimates from T samples, {repeats:,} times each", headings, rows)
    gradients = Table(
        "Gradient of a logistic regression from minibatches",
        ("batch", "variance", "variance x batch"),
        [(b, v, b * v) for b, v in zip(_BATCHES, noise.tolist(), strict=True)],
    )
    plots = (
        Plot(
            "Error of estimates",
            "samples T",
            "rms error, bits",
            tuple(Curve(name, lengths, values) for name, values in errors.items()),
            log_x=True,
            log_y=True,
        ),
        Plot(
            "Noise of a minibatch's gradient",
            "batch",
            "variance",
            (Curve("measured", _BATCHES, noise.tolist()),),
            log_x=True,
            log_y=True,
        ),
    )
    return Result(THEORY, (table, gradients), plots, checks)
