"""Recurrence, convolution and attention: how far back each can see."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .. import codec, texts
from ..models.registry import FAMILIES, Design
from .experiment import Check, Curve, Plot, Result, Table
from .training import trained, written

THEORY = (
    "What a model can use of the past is built into it: a recurrence squeezes it into a state of fixed size, a "
    "convolution sees all of its receptive field and nothing behind that wall, attention looks things up in its "
    "window, and sees further back only what a block passes on to the next."
)
_ALPHABET = 4
_NOISE = 0.1  # share of symbols drawn afresh
_REACH = {"convolution": 28, "attention": 48}  # symbols back that can be seen; a recurrence has no such wall
_AT_ONCE = {"convolution": 28, "attention": 24}  # of these, without passing it on from one look to the next
_DESIGNS: dict[str, dict[str, Any]] = {  # of as many multiply-adds a symbol, and without what would look up for them
    "recurrent": {"width": 64, "blocks": 2, "contexts": 1, "rows_log2": 8, "row_width": 16, "followers": 0},
    "convolution": {"width": 56, "dilations": (1, 3, 9), "contexts": 1, "rows_log2": 8, "row_width": 16},
    "attention": {"width": 56, "blocks": 2, "window": 24, "heads": 4, "contexts": 1, "rows_log2": 8, "row_width": 16},
}
_RATE = 6e-3
_RATES = {"recurrent": _RATE, "convolution": _RATE, "attention": 2e-2}  # with which each copies best, of those tried
_WIDTHS = (8, 16, 32, 64)  # of a recurrence: with its state all of it grows
_NEAR = 4


def copy_task(gap: int, count: int, seed: int) -> np.ndarray:
    """Letters (count,), each that ``gap`` places before, but for a tenth drawn afresh from four."""
    generator = np.random.default_rng(seed)
    symbols = generator.integers(0, _ALPHABET, count)
    fresh = generator.random(count) < _NOISE
    for t in range(gap, count):
        if not fresh[t]:
            symbols[t] = symbols[t - gap]
    return (symbols + ord("a")).astype(np.uint8)


def information(symbols: np.ndarray, gap: int) -> float:
    """Bits per symbol of a sample of the copy task under its source."""
    right = symbols[gap:] == symbols[:-gap]
    likely, other = -np.log2(1 - _NOISE + _NOISE / _ALPHABET), -np.log2(_NOISE / _ALPHABET)
    return float((gap * np.log2(_ALPHABET) + np.where(right, likely, other).sum()) / len(symbols))


def _bill(
    family: str, data: np.ndarray, fresh: np.ndarray, steps: int, seed: int, rate: float, **settings: int
) -> tuple[float, int]:
    """Bits per symbol of fresh data in a real file by a network trained on data, and that file's bytes."""
    design = Design.of(family, **_DESIGNS[family] | settings)
    with tempfile.TemporaryDirectory() as folder:
        path = written(trained(design, data, steps, seed, rate=rate, table_rate=2 * rate), Path(folder), family)
        blob = codec.compress(fresh.tobytes(), path, mix=False, threads=1)  # verified: it decodes it again
        ledger = codec.measure(fresh.tobytes(), path, mix=False, threads=1)
    return ledger.model_bits / len(fresh), len(blob)


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    gaps, steps = ((_NEAR, 64), 200) if quick else ((2, _NEAR, 8, 16, 32, 64), 700)
    count, fresh_count = (60_000, 4_000) if quick else (400_000, 16_000)
    bills: dict[str, list[float]] = {family: [] for family in FAMILIES}
    rows: list[tuple[str | float, ...]] = []
    below = -np.inf
    for gap in gaps:
        data, fresh = copy_task(gap, count, seed), copy_task(gap, fresh_count, seed + 1)
        told = information(fresh, gap)
        for family, bill in bills.items():
            bits, size = _bill(family, data, fresh, steps, seed, _RATES[family])
            bill.append(bits)
            below = max(below, told - bits)
            rows.append((gap, family, bits, size))
    text = np.frombuffer(texts.manual(), np.uint8)
    held_out = 10_000 if quick else 50_000
    on_text = []
    for family in FAMILIES:
        bits, size = _bill(family, text[held_out:], text[:held_out], steps, seed, _RATE, contexts=2)
        on_text.append((family, bits, size))
    data, fresh = copy_task(_NEAR, count, seed), copy_task(_NEAR, fresh_count, seed + 1)
    widths = _WIDTHS[1::2] if quick else _WIDTHS
    by_width = [(width, *_bill("recurrent", data, fresh, steps, seed, _RATE, width=width)) for width in widths]
    full, least = float(np.log2(_ALPHABET)), _entropy_rate()
    learnt = full - 0.2 if quick else least + 0.25
    checks = [
        Check("no bill is below what its own symbols tell one who knows the gap", below <= 0),
        Check(
            "the recurrence pays more the further back it must remember", bills["recurrent"][-1] > bills["recurrent"][0]
        ),
        Check("a wider recurrence learns to keep more", all(a[1] > b[1] for a, b in pairwise(by_width))),
    ]
    for family, at_once in _AT_ONCE.items():
        within = [bits for gap, bits in zip(gaps, bills[family], strict=True) if gap < at_once]
        behind = [bits for gap, bits in zip(gaps, bills[family], strict=True) if gap > _REACH[family]]
        checks.append(Check(f"{family}: learns what lies less than {at_once} symbols back", max(within) < learnt))
        checks.append(
            Check(f"{family}: behind its wall at {_REACH[family]} a symbol costs all it can", min(behind) > full - 0.05)
        )
    checks.append(
        Check("on real text every family beats 8 bits by a third", all(bits < 16 / 3 for _, bits, _ in on_text))
    )
    designs = [(family, Design.of(family, **_DESIGNS[family]).network()) for family in FAMILIES]
    budget = [
        (family, net.macs(), steps, _RATES[family], net.memory_bytes(), _REACH.get(family, "all, fading"))
        for family, net in designs
    ]
    tables = (
        Table(
            "The budget of each",
            ("family", "multiply-adds a symbol", "steps", "rate for copies", "remembers, bytes", "sees back, symbols"),
            budget,
        ),
        Table(
            f"Copies from a gap, a tenth false, {steps} steps; entropy rate {least:.3f}, at worst {full:g} bits",
            ("gap", "family", "bits/symbol", "file, bytes"),
            rows,
        ),
        Table(
            f"What a recurrence learns to keep in {steps} steps: copies from {_NEAR} back",
            ("width", "bits/symbol", "file, bytes"),
            by_width,
        ),
        Table(f"Python's manual, {held_out:,} bytes held out", ("family", "bits/byte", "file, bytes"), on_text),
    )
    plot = Plot(
        "Bits by how far back the answer lies",
        "gap, symbols",
        "bits/symbol",
        [Curve(family, gaps, bill) for family, bill in bills.items()]
        + [Curve("entropy rate", (gaps[0], gaps[-1]), (least, least))],
        log_x=True,
    )
    return Result(THEORY, tables, (plot,), checks)


def _entropy_rate() -> float:
    """Bits per symbol of the copy task, for one who knows the gap."""
    p = np.full(_ALPHABET, _NOISE / _ALPHABET)
    p[0] += 1 - _NOISE
    return float(-(p * np.log2(p)).sum())
