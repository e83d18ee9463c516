"""Bias and variance in bits: capacity against the amount of data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

from ..sources import Chain, random_chain
from . import coded
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "A model that is too small pays KL for what it cannot say, however much data it sees; one that is too large learns "
    "its sample by heart and pays on fresh data. Early stopping and weight decay are cures; of model and data, "
    "the joint description is shortest at the right size."
)
_ORDER = 6  # bits of context that matter
_SIGNS = 1.0 - 2.0 * ((np.arange(1 << _ORDER)[:, None] >> np.arange(_ORDER)) & 1)  # (contexts, bits): last bit first
_HIDDEN = {"none (logistic regression)": 0, "2 units": 2, "8 units": 8, "64 units": 64}


def _source() -> Chain:
    """Bits whose log-odds are linear in the past, and in products of two and of three past bits."""
    s = _SIGNS.T
    logit = 0.8 * s[0] - 0.5 * s[3] + 1.4 * s[1] * s[4] - 1.1 * s[0] * s[2] * s[5]
    one = 1 / (1 + np.exp(-logit))
    return Chain(np.stack([1 - one, one], 1))


def _counts(symbols: np.ndarray) -> np.ndarray:
    """How often each bit follows each context, (contexts, 2)."""
    chain = Chain(np.full((1 << _ORDER, 2), 0.5))
    table = np.zeros((1 << _ORDER, 2))
    np.add.at(table, (chain.contexts(symbols), symbols), 1)
    return table


def _bits(table: np.ndarray, counts: np.ndarray) -> float:
    return float(-(counts * np.log2(table)).sum() / counts.sum())


def learned(
    counts: np.ndarray, used: int, hidden: int, steps: int, decay: float = 0.0, watched: np.ndarray | None = None
) -> np.ndarray:
    """Probabilities (contexts, 2) by maximum likelihood on counts, from the last ``used`` bits.

    hidden: units of a layer between; 0 for logistic regression, the fully visible sigmoid belief network of Frey,
    Hinton and Dayan 1996. decay: weight decay. watched: counts of other data; the step that is best on them is taken.
    """
    torch.manual_seed(0)
    x = torch.from_numpy(_SIGNS[:, :used]).float()
    target = torch.from_numpy(counts).float()
    layers = [torch.nn.Linear(used, hidden), torch.nn.Tanh()] if hidden else []
    network = torch.nn.Sequential(*layers, torch.nn.Linear(hidden or used, 1))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.03, weight_decay=decay)
    best, least = np.full_like(counts, 0.5), np.inf
    for _ in range(steps):
        optimiser.zero_grad()
        logit = network(x)
        both = torch.nn.functional.logsigmoid(torch.cat((-logit, logit), 1))
        (-(target * both).sum() / target.sum()).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if watched is not None:
            table = both.detach().exp().double().numpy()
            if _bits(table, watched) < least:
                best, least = table, _bits(table, watched)
    if watched is None:
        best = both.detach().exp().double().numpy()
    best = np.clip(best, 2**-20, 1)
    return np.asarray(best / best.sum(1, keepdims=True))


def _sizes(seed: int, quick: bool) -> tuple[list[Table], list[Check], list[Plot]]:
    source = _source()
    entropy = source.entropy_rate().value
    amounts, steps = ((60, 1000, 30_000), 400) if quick else ((60, 250, 1000, 4000, 30_000, 200_000), 3000)
    repeats = 2 if quick else 10  # samples of up to 1,000 bits; larger ones hardly differ
    fresh = source.sample(10_000 if quick else 100_000, seed + 1)
    rows: list[tuple[str | float, ...]] = []
    bills: dict[str, list[float]] = {name: [] for name in _HIDDEN}
    memorised: dict[str, list[float]] = {name: [] for name in _HIDDEN}
    measured: dict[str, list[float]] = {name: [] for name in _HIDDEN}
    exact = True
    for amount in amounts:
        samples = [_counts(source.sample(amount, seed + 2 + 1000 * i)) for i in range(repeats if amount <= 1000 else 1)]
        for name, hidden in _HIDDEN.items():
            models = [Chain(learned(counts, _ORDER, hidden, steps)) for counts in samples]
            own = float(np.mean([_bits(m.table, counts) for m, counts in zip(models, samples, strict=True)]))
            true = entropy + np.array([source.kl_rate(model) for model in models])
            bits = np.array([coded.bits_under(fresh, model) for model in models])
            ideal = np.array([model.information(fresh).sum() for model in models])
            exact &= bool((abs(bits - ideal) <= coded.allowed(1) + (1e-4 * bits + _CODER * len(fresh))).all())
            bills[name].append(float(true.mean()))
            memorised[name].append(own)
            measured[name].append(float(bits.mean()) / len(fresh))
            row = (len(models), own, measured[name][-1], bills[name][-1], float(true.std()), bills[name][-1] - entropy)
            rows.append((amount, name, *row))
    small, large = min(_HIDDEN, key=_HIDDEN.__getitem__), max(_HIDDEN, key=_HIDDEN.__getitem__)
    checks = [
        Check("each model's bill on fresh data is what its words take", bool(exact)),
        Check("the smallest is dear however much data it sees", bills[small][-1] > entropy + 0.2),
        Check("the largest learns a small sample by heart", memorised[large][0] < entropy - 0.1),
        Check("and pays for it on fresh data, more than the smallest", bills[large][0] > bills[small][0] + 0.1),
        Check("with enough data it is within 0.02 bits of the entropy", bills[large][-1] < entropy + 0.02),
    ]
    headings = ("bits seen", "hidden layer", "samples", "on them", "fresh, coded", "expected", "spread", "of it KL")
    caption = f"Next of a stream of bits; entropy rate {entropy:.4f}; bits/symbol, means over samples"
    table = Table(caption, headings, rows)
    curves = [Curve(name, amounts, bill) for name, bill in bills.items()]
    curves += [Curve(f"{name}, coded", amounts, bill, line=False) for name, bill in measured.items()]
    curves.append(Curve("entropy rate", (amounts[0], amounts[-1]), (entropy, entropy)))
    return [table], checks, [Plot("Fresh data, by capacity", "bits seen", "bits/symbol", curves, log_x=True)]


def _cures(seed: int, quick: bool) -> tuple[list[Table], list[Check], list[Plot]]:
    source, steps = _source(), 400 if quick else 3000
    seen, watched = (_counts(source.sample(250, seed + number)) for number in (3, 4))
    fits = {
        "none": learned(seen, _ORDER, 64, steps),
        "none, after both": learned(seen + watched, _ORDER, 64, steps),
        "weight decay": learned(seen, _ORDER, 64, steps, decay=1.0),
        "early stopping": learned(seen, _ORDER, 64, steps, watched=watched),
    }
    entropy = source.entropy_rate().value
    bills = {name: entropy + source.kl_rate(Chain(table)) for name, table in fits.items()}
    fresh = source.sample(10_000 if quick else 100_000, seed + 5)
    took = {name: coded.bits_under(fresh, Chain(table)) / len(fresh) for name, table in fits.items()}
    rows = [(name, _bits(table, seen), took[name], bills[name]) for name, table in fits.items()]
    checks = [
        Check(f"{cure} makes fresh data cheaper", max(took[cure] - took["none"], bills[cure] - bills["none"]) < 0)
        for cure in list(fits)[2:]
    ]
    more = bills["none, after both"] - bills["early stopping"]
    checks.append(Check("early stopping gains more than learning from the watched bits", more > 0))
    return [Table(_CURES, ("cure", "on them", "fresh data, coded", "expected"), rows)], checks, []


_CODER = 0.0002  # bits a symbol that the range coder may add on cheap ones, see LOG
_CURES = "64 units after 250 bits; early stopping watches 250 others; bits/symbol"


def two_part(symbols: np.ndarray, order: int, alphabet: int) -> tuple[int, int]:
    """Bits of a chain's parameters, each to the precision its data deserve, and of the symbols' words under them.

    Half the logarithm of the number of symbols is spent on each parameter (Rissanen 1978).
    """
    contexts = alphabet**order
    number = Chain(np.full((contexts, alphabet), 1 / alphabet)).contexts(symbols)
    table = np.zeros((contexts, alphabet))
    np.add.at(table, (number, symbols), 1)
    digits = int(np.ceil(np.log2(len(symbols)) / 2))
    shares = (table + 0.5) / (table + 0.5).sum(1, keepdims=True)
    written = _written(shares[:, :-1], digits)
    return len(written), coded.bits_with(symbols, _read(written, digits, contexts, alphabet), number)


def _written(shares: np.ndarray, digits: int) -> np.ndarray:
    """The bits (n,) uint8 of so many binary digits of each share."""
    whole = np.clip(np.rint(shares * 2**digits), 1, 2**digits - 1).astype(np.int64)
    return (whole.reshape(-1, 1) >> np.arange(digits) & 1).astype(np.uint8).reshape(-1)


def _read(written: np.ndarray, digits: int, contexts: int, alphabet: int) -> np.ndarray:
    """The table (contexts, alphabet) from these; the last share of each row is what is left."""
    whole = (written.reshape(-1, digits).astype(np.int64) << np.arange(digits)).sum(1).reshape(contexts, alphabet - 1)
    left = np.maximum(2**digits - whole.sum(1, keepdims=True), 1)
    table = np.concatenate([whole, left], axis=1).astype(np.float64)
    return np.asarray(table / table.sum(1, keepdims=True))


def _parts(seed: int, orders: Sequence[int]) -> tuple[list[Table], list[Check], list[Plot]]:
    true, alphabet, count = 3, 2, 8000
    symbols = random_chain(true, alphabet, 0.6, 11).sample(count, seed)
    parts = {order: two_part(symbols, order, alphabet) for order in orders}
    total = {order: sum(both) for order, both in parts.items()}
    shortest = min(total, key=total.__getitem__)
    rows = [(order, *both, total[order]) for order, both in parts.items()]
    checks = [
        Check(
            "the data alone take fewer bits the larger the model",
            all(parts[a][1] >= parts[b][1] - 32 for a, b in pairwise(orders)),
        ),
        Check(f"model and data together are shortest at the true order {true}", shortest == true),
    ]
    table = Table(f"{count:,} bits of a chain of order {true}", ("order", "model, bits", "data, bits", "both"), rows)
    plot = Plot(
        "Two-part code",
        "order",
        "bits",
        (
            Curve("data", orders, [parts[order][1] for order in orders]),
            Curve("model and data", orders, [total[order] for order in orders]),
        ),
    )
    return [table], checks, [plot]


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    parts = (_sizes(seed, quick), _cures(seed, quick), _parts(seed, range(9 if quick else 12)))
    tables, checks, plots = ([item for part in parts for item in part[kind]] for kind in range(3))
    return Result(THEORY, tables, plots, checks)  # type: ignore[arg-type]
