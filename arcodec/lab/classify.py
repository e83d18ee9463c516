"""Whose model codes it shorter? Classes from code lengths, beside a discriminative classifier."""

from __future__ import annotations

import numpy as np
import torch

from .. import codec
from . import documents
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "Bayes turns p(x|y) into p(y|x): the class under which x takes the fewest bits is the likeliest, and each bit of "
    "difference doubles the odds. A model learned to compress thus classifies, without ever having been asked to."
)
_BUCKETS = 1 << 12  # of hashed pairs and triples of bytes


def _parted(labelled: documents.Labelled) -> tuple[documents.Labelled, list[tuple[str, bytes]]]:
    """Every other document to learn from, the rest to be told."""
    learn = {name: some[::2] for name, some in labelled.items()}
    return learn, [(name, document) for name, some in labelled.items() for document in some[1::2]]


def bits_after(known: bytes, document: bytes) -> float:
    """What a document takes more, coded after what is known, by the experts that learn while they code."""
    both, alone = (codec.measure(text, preset="fast", threads=1) for text in (known + document, known))
    return both.model_bits + both.stored_bits - alone.model_bits - alone.stored_bits


def by_code_length(learn: documents.Labelled, fresh: list[tuple[str, bytes]]) -> tuple[list[str], np.ndarray]:
    """The class under which each document is shortest, and bits (documents, classes)."""
    names = list(learn)
    most = min(len(b"\n".join(some)) for some in learn.values())  # as much to learn from for each
    known = {name: b"\n".join(learn[name])[:most] + b"\n" for name in names}
    bits = np.array([[bits_after(known[name], document) for name in names] for _, document in fresh])
    return [names[i] for i in bits.argmin(1)], bits


def _features(document: bytes) -> np.ndarray:
    counts = np.zeros(_BUCKETS, np.float32)
    for size in (2, 3):
        for i in range(len(document) - size + 1):
            counts[int.from_bytes(document[i : i + size], "big") * 2654435761 % 2**32 >> 20] += 1
    return counts / max(1.0, float(np.linalg.norm(counts)))


def by_regression(learn: documents.Labelled, fresh: list[tuple[str, bytes]]) -> list[str]:
    """Logistic regression on counts of pairs and triples of bytes: p(y|x) learned for its own sake."""
    torch.manual_seed(0)
    names = list(learn)
    x = torch.from_numpy(np.array([_features(document) for some in learn.values() for document in some]))
    y = torch.tensor([i for i, some in enumerate(learn.values()) for _ in some])
    network = torch.nn.Linear(_BUCKETS, len(names))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.05, weight_decay=0.01)
    for _ in range(150):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(x), y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    told = network(torch.from_numpy(np.array([_features(document) for _, document in fresh]))).argmax(1)
    return [names[i] for i in told.tolist()]


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    tasks = {
        "language": documents.languages(4 if quick else 2),
        "kind": documents.kinds(seed, each=8 if quick else 40),
        "spam or not": documents.messages(),
    }
    rows: list[tuple[str | float, ...]] = []
    checks, points = [], []
    for task, labelled in tasks.items():
        learn, fresh = _parted(labelled)
        told, bits = by_code_length(learn, fresh)
        truth = [name for name, _ in fresh]
        right = float(np.mean([a == b for a, b in zip(told, truth, strict=True)]))
        regression = float(np.mean([a == b for a, b in zip(by_regression(learn, fresh), truth, strict=True)]))
        ordered = np.sort(bits, 1)
        margin = float((ordered[:, 1] - ordered[:, 0]).mean())
        rows.append((task, len(learn), len(fresh), right, regression, 1 / len(learn), margin))
        checks.append(
            Check(
                f"{task}: code lengths are right twice as often as chance, or 4 times in 5",
                right >= min(0.8, 2 / len(learn)),
            )
        )
        own = np.array([bits[i, list(learn).index(name)] for i, name in enumerate(truth)])
        others = np.array([np.delete(bits[i], list(learn).index(name)).min() for i, name in enumerate(truth)])
        points.append(Curve(task, own.tolist(), others.tolist(), line=False))
    table = Table(
        "Told by which model codes it shorter, and by a discriminative model",
        ("task", "classes", "documents", "by code length", "logistic regression", "chance", "mean margin, bits"),
        rows,
    )
    longest = max(max(curve.x) for curve in points)
    plot = Plot(
        "Bits under the true class and under the best other",
        "true class, bits",
        "best other class, bits",
        [*points, Curve("equal", (0, longest), (0, longest))],
    )
    return Result(THEORY, (table,), (plot,), checks)
