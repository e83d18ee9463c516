"""Recurrence, convolution and attention: how far back each can see."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .. import codec, texts
from ..models.registry import FAMILIES, Design
from .experiment import Check, Curve, Plot, Result, Table
from .training import trained, written

THEORY = (
    "What a model can use of the past is built into it: a recurrence squeezes it into a state of fixed size, a "
    "convolution sees all of its receptive field and nothing behind that wall, attention looks things up in its window."
)
_ALPHABET = 4
_NOISE = 0.1  # share of symbols drawn afresh
_REACH = {"recurrent": None, "convolution": 41, "attention": 48}  # symbols; None: no wall
_DESIGNS: dict[str, dict[str, Any]] = {
    "recurrent": {"width": 64, "blocks": 2, "contexts": 1, "rows_log2": 8, "row_width": 16},
    "convolution": {"width": 48, "dilations": (1, 4, 15), "contexts": 1, "rows_log2": 8, "row_width": 16},
    "attention": {"width": 48, "blocks": 2, "window": 24, "heads": 4, "contexts": 1, "rows_log2": 8, "row_width": 16},
}


def copy_task(gap: int, count: int, seed: int) -> np.ndarray:
    """Letters (count,), each that ``gap`` places before, but for a tenth drawn afresh from four."""
    generator = np.random.default_rng(seed)
    symbols = generator.integers(0, _ALPHABET, count)
    fresh = generator.random(count) < _NOISE
    for t in range(gap, count):
        if not fresh[t]:
            symbols[t] = symbols[t - gap]
    return (symbols + ord("a")).astype(np.uint8)


def _bill(
    family: str, data: np.ndarray, fresh: np.ndarray, steps: int, seed: int, **settings: int
) -> tuple[float, int]:
    """Bits per symbol of fresh data in a real file by a network trained on data, and that file's bytes."""
    design = Design.of(family, **_DESIGNS[family] | settings)
    with tempfile.TemporaryDirectory() as folder:
        path = written(trained(design, data, steps, seed), Path(folder), family)
        blob = codec.compress(fresh.tobytes(), path, mix=False, threads=1)  # verified: it decodes it again
        ledger = codec.measure(fresh.tobytes(), path, mix=False, threads=1)
    return ledger.model_bits / len(fresh), len(blob)


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    gaps, steps = ((4, 64), 120) if quick else ((2, 4, 8, 16, 32, 64), 700)
    count, fresh_count = (60_000, 4_000) if quick else (400_000, 16_000)
    bills: dict[str, list[float]] = {family: [] for family in FAMILIES}
    rows: list[tuple[str | float, ...]] = []
    for gap in gaps:
        data, fresh = copy_task(gap, count, seed), copy_task(gap, fresh_count, seed + 1)
        for family, bill in bills.items():
            bits, size = _bill(family, data, fresh, steps, seed)
            bill.append(bits)
            rows.append((gap, family, bits, size))
    text = np.frombuffer(texts.manual(), np.uint8)
    held_out = 10_000 if quick else 50_000
    on_text = []
    for family in FAMILIES:
        bits, size = _bill(family, text[held_out:], text[:held_out], steps // 2 if quick else steps, seed, contexts=2)
        on_text.append((family, bits, size))
    full, least = float(np.log2(_ALPHABET)), _entropy_rate()
    near = gaps.index(4)
    checks = [
        Check(f"no bill is below the entropy rate ({least:.3f})", min(map(min, bills.values())) > least - 0.1),
        Check(
            "convolution and attention learn what lies 4 symbols back",
            all(bills[family][near] < full - 0.2 for family in ("convolution", "attention")),
        ),
        Check(
            "the recurrence pays more the further back it must remember", bills["recurrent"][-1] > bills["recurrent"][0]
        ),
    ]
    for family, reach in _REACH.items():
        behind = [bits for gap, bits in zip(gaps, bills[family], strict=True) if reach and gap > reach]
        if behind:
            checks.append(
                Check(f"{family}: behind its wall at {reach} a symbol costs all it can", min(behind) > full - 0.05)
            )
    checks.append(
        Check("on real text every family beats 8 bits by a third", all(bits < 16 / 3 for _, bits, _ in on_text))
    )
    tables = (
        Table(
            f"Copies from a gap, a tenth false, {steps} steps; entropy rate {least:.3f}, at worst {full:g} bits",
            ("gap", "family", "bits/symbol", "file, bytes"),
            rows,
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
