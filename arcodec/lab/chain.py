"""The chain rule: a joint probability is the product of conditional ones, in any order, at once or step by step."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import codec, texts
from ..exact.torch_networks import TorchNetwork
from ..models import store
from ..models.registry import FAMILIES, Design
from ..sources import Chain, Image, Source, image, random_chain
from ..training.export import write_model
from . import coded
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "log p(x) is the sum of the logs of p(x_i | those before it), whatever order is chosen; teacher forcing scores all "
    "symbols at once, decoding asks one by one, and both give the same numbers to the last bit."
)
_SMALL: dict[str, dict[str, Any]] = {
    "recurrent": {"width": 32, "blocks": 1, "rows_log2": 8, "row_width": 8, "followers": 0},
    "convolution": {"width": 32, "dilations": (1, 3), "rows_log2": 8, "row_width": 8},
    "attention": {"width": 32, "blocks": 1, "heads": 2, "window": 16, "rows_log2": 8, "row_width": 8},
}


def joint(source: Source, length: int) -> np.ndarray:
    """p of every sequence: (alphabet,) * length."""
    shape = (source.alphabet,) * length
    sequences = np.indices(shape).reshape(length, -1).T.astype(np.uint8)
    return np.array([2 ** -source.information(sequence).sum() for sequence in sequences]).reshape(shape)


_SAMPLES = 5_000  # coded one behind the other
_HEADER = 8 * 24  # bits of a file of one block that are not coded symbols, at most


def conditionals(table: np.ndarray, order: tuple[int, ...]) -> list[np.ndarray]:
    """p(symbol | those earlier in the order), from the joint table: for its i-th place (alphabet ** i, alphabet).

    A row is what the earlier ones are, as a number whose highest digit came first; where they cannot be, it is even.
    """
    alphabet, moved, out = table.shape[0], table.transpose(order), []
    for i in range(table.ndim):
        both = moved.sum(axis=tuple(range(i + 1, table.ndim))).reshape(-1, alphabet)
        total = both.sum(axis=1, keepdims=True)
        out.append(np.where(total > 0, both, 1 / alphabet) / np.where(total > 0, total, 1))
    return out


def _in_order(
    samples: np.ndarray, table: np.ndarray, order: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of samples (n, length) in this order: symbols (n * length,), all distributions, and which one holds for each."""
    each = conditionals(table, order)
    starts = np.cumsum([0, *(len(rows) for rows in each[:-1])])
    moved = samples[:, order].astype(np.int64)
    before = np.zeros_like(moved)
    for i in range(1, moved.shape[1]):
        before[:, i] = before[:, i - 1] * table.shape[0] + moved[:, i - 1]
    return moved.astype(np.uint8).ravel(), np.concatenate(each), (before + starts).ravel()


def _orders(source: Chain | Image, length: int, seed: int, most: int) -> tuple[Sequence[Any], list[Check]]:
    """A row of the table, and its checks."""
    table = joint(source, length)
    samples = np.stack([source.sample(length, seed + i) for i in range(_SAMPLES)])
    truth = -np.log2(table[tuple(samples.T)])
    generator, orders = np.random.default_rng(seed), list(permutations(range(length)))
    picked = [orders[i] for i in generator.choice(len(orders), min(most, len(orders)), replace=False)]
    worst = 0.0
    for order in picked:
        symbols, rows, which = _in_order(samples[:20], table, order)
        bits = -np.log2(rows[which, symbols]).reshape(-1, length).sum(1)
        worst = max(worst, float(np.abs(bits - truth[:20]).max()))
    forwards, backwards = orders[0], orders[-1]
    others = [order for order in picked if order not in (forwards, backwards)][:4]
    taken = [coded.bits_with(*_in_order(samples, table, order)) for order in (forwards, backwards, *others)]
    bits = float(truth.sum())
    checks = [
        Check(f"each of 20 samples has the same bits in {len(picked)} orders, to 1e-9", worst < 1e-9),
        Check(
            f"{_SAMPLES:,} samples take their joint bits, coded forwards, backwards and in four other orders",
            all(0 <= words - bits <= coded.allowed(bits) for words in taken),
        ),
    ]
    return (len(picked), bits, worst, min(taken), max(taken)), checks


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    rows: list[tuple[str | float, ...]] = []
    checks: list[Check] = []
    kinds: list[tuple[str, Chain | Image, int]] = [
        ("word of 6 letters of 4", random_chain(2, 4, 0.5, seed), 6),
        ("picture of 3 x 3 pixels of 2", image(2, 3, 0.7), 9),
    ]
    for name, source, length in kinds:
        row, found = _orders(source, length, seed, 100 if quick else 720)
        rows.append((name, *row))
        checks += [Check(f"{name}: {check.statement}", check.holds) for check in found]
    orders_table = Table(
        f"{_SAMPLES:,} samples each: the joint probability in many orders, and real words in six of them",
        ("what", "orders", "-log2 p, bits", "largest difference, bits", "shortest words, bits", "longest words, bits"),
        rows,
    )
    text = texts.manual()[: 1_500 if quick else 20_000]
    symbols = np.frombuffer(text, np.uint8)
    steps, curves = [], []
    for family in FAMILIES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{family}.safetensors"
            _random_network(family, seed, path)
            at_once = store.engine_for(store.find(str(path)), "torch").frequencies(symbols)
            one_by_one = store.engine_for(store.find(str(path))).frequencies(symbols)
            packed = codec.compress(text, str(path), mix=False, device="torch", verify=False)
            back = codec.decompress(packed, model=str(path))
            by_step = codec.compress(text, str(path), mix=False, block_size=len(text))
            back_by_step = codec.decompress(by_step, model=str(path))
        different = int((at_once != one_by_one).sum())
        costs = -np.log2(one_by_one[np.arange(len(symbols)), symbols] / 2.0**24)
        steps.append((family, len(text), different, float(costs.sum()), 8 * len(by_step)))
        curves.append(Curve(family, range(0, len(text), 25), np.cumsum(costs)[::25].tolist()))
        checks.append(Check(f"{family}: all at once and one by one agree to the last bit", different == 0))
        checks.append(Check(f"{family}: what was scored at once decodes step by step", back == text))
        beyond = 8 * len(by_step) - float(costs.sum())
        checks.append(
            Check(
                f"{family}: the file is the sum of the conditional ones, a header and the coder's end",
                back_by_step == text and 0 <= beyond <= _HEADER + coded.allowed(float(costs.sum())),
            )
        )
    forcing = Table(
        "Teacher forcing and decoding, networks that learned nothing",
        ("family", "symbols", "frequencies that differ", "sum of conditional bits", "file, bits"),
        steps,
    )
    plot = Plot("The joint bill grows by one conditional at a time", "symbols", "bits", curves)
    return Result(THEORY, (orders_table, forcing), (plot,), checks)


def _random_network(family: str, seed: int, path: Path) -> None:
    """A small network of the family as it is before training."""
    torch.manual_seed(seed)
    design = Design.of(family, **_SMALL[family])
    write_model(TorchNetwork(design.network()), design, path)
