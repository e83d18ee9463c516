"""A learning curve in bits, with real files on it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .. import codec, texts
from ..models.registry import Design
from ..training.corpus import Source
from ..training.evaluate import PIECES, bits_per_byte
from ..training.loop import Trainer
from .experiment import Check, Curve, Plot, Result, Table
from .training import trained, written

THEORY = (
    "Stochastic gradient descent on cross-entropy is descent on the size of the file: whatever the curve says at a "
    "step, a file coded with the network of that step is as long, plus what the coder and the container take."
)
_DESIGN: dict[str, Any] = {"width": 64, "blocks": 1, "contexts": 4, "rows_log2": 12, "row_width": 16, "followers": 0}


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    steps, looks, held_out = (100, 4, 1 << 14) if quick else (1500, 10, 1 << 16)
    text = np.frombuffer(texts.manual(), np.uint8)
    valid, data = text[:held_out], text[held_out:]
    at = {round(share) for share in np.geomspace(5, steps - 1, looks)}
    train: list[float] = []
    rows: list[tuple[float, ...]] = []

    def look(step: int, loss: float, trainer: Trainer) -> None:
        train.append(loss)
        if step not in at:
            return
        bpb = bits_per_byte(trainer.network, Source("valid", valid, 1.0), held_out, "cpu")
        with tempfile.TemporaryDirectory() as folder:
            path, piece = written(trainer, Path(folder), "step"), held_out // PIECES
            settings: dict[str, Any] = {"mix": False, "block_size": piece, "threads": 1}
            size = len(codec.compress(valid.tobytes(), path, **settings))  # verified: it decodes it again
            ledger = codec.measure(valid.tobytes(), path, **settings)
        rest = (8 * size - ledger.model_bits) / held_out
        rows.append((step + 1, loss, bpb, ledger.model_bits / held_out, 8 * size / held_out, rest))

    trained(Design.of("recurrent", **_DESIGN), data, steps, seed, look)
    checks = [
        Check(
            "the file's cross-entropy is the curve's, to 0.001 bits a byte",
            all(abs(curve - file) < 1e-3 for _, _, curve, file, _, _ in rows),
        ),
        Check(
            "the file is longer by less than 16 bytes a block and 24",
            all(0 <= rest * held_out <= 8 * (16 * PIECES + 24) for *_, rest in rows),
        ),
        Check("the curve falls: the last file is the smallest", min(row[4] for row in rows) == rows[-1][4]),
        Check("a step later the training loss is noise, over all of them it falls", train[-1] < train[0] / 1.5),
    ]
    headings = ("step", "training", "validation", "validation in the file", "file", "coder and container")
    table = Table(f"{held_out:,} bytes held out, in {PIECES} blocks; bits/byte", headings, rows)
    seen = [row[0] for row in rows]
    plot = Plot(
        "Learning curve",
        "step",
        "bits/byte",
        (
            Curve("training", range(1, steps + 1), train),
            Curve("validation", seen, [row[2] for row in rows]),
            Curve("real files", seen, [row[4] for row in rows], line=False),
        ),
        log_x=True,
    )
    return Result(THEORY, (table,), (plot,), checks)
