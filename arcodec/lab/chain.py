"""The chain rule: a joint probability is the product of conditional ones, in any order, at once or step by step."""

from __future__ import annotations

import tempfile
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import codec, texts
from ..exact.torch_layers import TorchNetwork
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
    "recurrent": {"width": 32, "blocks": 1, "rows_log2": 8, "row_width": 8},
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


def conditional_bits(table: np.ndarray, symbols: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """-log2 p(symbol | those earlier in the order), one by one, by summing the joint table over the rest."""
    known: dict[int, int] = {}
    before, bits = 1.0, []
    for place in order:
        known[place] = int(symbols[place])
        rest = tuple(i for i in range(table.ndim) if i not in known)
        cut = tuple(known.get(i, slice(None)) for i in range(table.ndim))
        after = float(table.sum(axis=rest)[tuple(known[i] for i in sorted(known))]) if rest else float(table[cut])
        bits.append(-np.log2(after / before))
        before = after
    return np.array(bits)


def _orders(
    source: Chain | Image, length: int, seed: int, most: int
) -> tuple[float, float, list[tuple[int, ...]], float, int]:
    """Joint bits of a sample, by how much the worst order differs, some orders; joint bits of many, and those taken."""
    symbols = source.sample(length, seed)
    table = joint(source, length)
    truth = float(-np.log2(table[tuple(symbols)]))
    samples = [source.sample(length, seed + i) for i in range(_SAMPLES)]
    all_bits = float(-np.log2([table[tuple(sample)] for sample in samples]).sum())
    rows, contexts = zip(*(coded.tables_of(source, sample) for sample in samples), strict=True)
    taken = coded.bits_with(np.concatenate(samples), rows[0], np.concatenate(contexts))
    orders = list(permutations(range(length)))
    if len(orders) > most:
        picked = np.random.default_rng(seed).choice(len(orders), most, replace=False)
        orders = [orders[i] for i in picked]
    worst = max(abs(conditional_bits(table, symbols, order).sum() - truth) for order in orders)
    return truth, worst, orders, all_bits, taken


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    rows: list[tuple[str | float, ...]] = []
    checks = []
    kinds: list[tuple[str, Chain | Image, int]] = [
        ("word of 6 letters of 4", random_chain(2, 4, 0.5, seed), 6),
        ("picture of 3 x 3 pixels of 2", image(2, 3, 0.7), 9),
    ]
    for name, source, length in kinds:
        truth, worst, orders, all_bits, taken = _orders(source, length, seed, 100 if quick else 720)
        rows.append((name, len(orders), truth, worst, all_bits, taken))
        checks.append(Check(f"{name}: the same in {len(orders)} orders, to 1e-9 bits", worst < 1e-9))
        checks.append(
            Check(
                f"{name}: {_SAMPLES:,} of them take their joint bits", 0 <= taken - all_bits <= coded.allowed(all_bits)
            )
        )
    orders_table = Table(
        "Joint probability as a sum of conditional ones",
        (
            "what",
            "orders",
            "-log2 p, bits",
            "largest difference, bits",
            f"-log2 p of {_SAMPLES:,}, bits",
            "coded, bits",
        ),
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
