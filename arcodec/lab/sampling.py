"""Decoding random bits draws samples from the model; how far they are from data, a discriminator bounds from below."""

from __future__ import annotations

import numpy as np
import torch

from .. import codec
from ..coding import CODERS, SymbolDecoder
from ..exact import kernels
from ..exact.contexts import remember
from ..exact.program import fresh_state
from ..frequencies import TOTAL, fill_frequencies, from_probabilities
from ..models import store
from ..sources import Chain, random_chain
from . import digits
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "A decoder turns code words into symbols, and a perfect code's words look like fair coin tosses; so fair tosses, "
    "decoded, are a sample of the model. If anyone can tell samples from data with accuracy a, the total variation "
    "distance of the two is at least 2a - 1, and by Pinsker's inequality KL is at least 2 (2a - 1)^2 / ln 2 bits."
)


def tosses(words: int, seed: int) -> SymbolDecoder:
    """A decoder of fair coin tosses, 32 of them a word. It is ANS, to whom any words mean something."""
    random = np.random.default_rng(seed).integers(1, 2**32, words, dtype=np.uint32)  # 0 would be no last word
    return CODERS["ans"].decoder(random)


def of_chain(model: Chain, count: int, seed: int) -> np.ndarray:
    """Symbols (count,) uint8 that coin tosses decode to under a chain."""
    frequencies = from_probabilities(model.table)
    decode = tosses(count * model.alphabet // 4 + 64, seed).decode
    context, out = 0, np.empty(count, np.uint8)
    for t in range(count):
        out[t] = decode(frequencies[context])
        context = (context * model.alphabet + int(out[t])) % len(frequencies)
    return out


def of_network(name: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Symbols (count,) uint8 that coin tosses decode to under a model, and the frequencies (count, 256) of each."""
    model = store.find(name)
    program = store.program(model)
    state, weights = fresh_state(program), np.empty(256, np.int64)
    symbols, frequencies = np.empty(count, np.uint8), np.empty((count, 256), np.int64)
    decode = tosses(count, seed).decode
    for t in range(count):
        kernels.weights(program, state, weights)
        fill_frequencies(weights, frequencies[t])
        symbols[t] = decode(frequencies[t])
        remember(state.memory, symbols[t])
    return symbols, frequencies


class BeliefNetwork:
    """A fully visible sigmoid belief network: each pixel a logistic regression on all before (Frey et al. 1996)."""

    def __init__(self, pictures: np.ndarray, steps: int) -> None:
        """pictures (n, pixels) of 0 and 1; maximum likelihood by so many steps of gradient descent."""
        torch.manual_seed(0)
        x = torch.from_numpy(pictures).float()
        pixels = x.shape[1]
        past = torch.tril(torch.ones(pixels, pixels), -1)  # a pixel sees those before it
        weights = torch.zeros(pixels, pixels, requires_grad=True)
        bias = torch.zeros(pixels, requires_grad=True)
        optimiser = torch.optim.AdamW([weights, bias], lr=0.05, weight_decay=0.01)
        for _ in range(steps):
            optimiser.zero_grad()
            logit = x @ (weights * past).T + bias
            torch.nn.functional.binary_cross_entropy_with_logits(logit, x).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        self.weights, self.bias = (weights * past).detach().double().numpy(), bias.detach().double().numpy()

    def _ones(self, pictures: np.ndarray) -> np.ndarray:
        """p(pixel is 1 | those before it), (n, pixels)."""
        p = 1 / (1 + np.exp(-(pictures @ self.weights.T + self.bias)))
        return np.asarray(np.clip(p, 1e-6, 1 - 1e-6))

    def bits(self, pictures: np.ndarray) -> float:
        """Mean code length of a picture."""
        p = self._ones(pictures)
        return float(-np.log2(np.where(pictures, p, 1 - p)).sum(1).mean())

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Pictures (count, pixels) that random words decode to."""
        pixels = len(self.bias)
        decode = tosses(count * pixels // 16 + 64, seed).decode
        out = np.zeros((count, pixels), np.uint8)
        for picture in out:
            for i in range(pixels):
                one = 1 / (1 + np.exp(-(float(self.weights[i] @ picture) + self.bias[i])))
                one = min(max(one, 1e-6), 1 - 1e-6)
                picture[i] = decode(from_probabilities(np.array([[1 - one, one]]))[0])
        return out


def discriminated(real: np.ndarray, made: np.ndarray, steps: int) -> float:
    """Accuracy, on halves not seen in training, of a small network that tells (n, features) from (n, features)."""
    torch.manual_seed(0)
    x = torch.from_numpy(np.concatenate([real[::2], made[::2], real[1::2], made[1::2]])).float()
    half = len(real[::2]) + len(made[::2])
    y = torch.cat([torch.zeros(len(real[::2])), torch.ones(len(made[::2]))])
    fresh = torch.cat([torch.zeros(len(real[1::2])), torch.ones(len(made[1::2]))])
    network = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.005, weight_decay=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(network(x[:half])[:, 0], y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        return float(((network(x[half:])[:, 0] > 0) == fresh.bool()).float().mean())


def least_kl(accuracy: float) -> float:
    """A lower bound on KL in bits, by Pinsker's inequality."""
    return float(2 * max(0.0, 2 * accuracy - 1) ** 2 / np.log(2))


def _of_chain(seed: int, quick: bool) -> tuple[tuple[str | float, ...], list[Check]]:
    model, count = random_chain(1, 4, 1.0, 5), 10_000 if quick else 200_000
    made = of_chain(model, count, seed)
    seen = np.zeros((4, 4))
    np.add.at(seen, (model.contexts(made), made), 1)
    expected = seen.sum(1, keepdims=True) * model.table
    chi2 = float(((seen - expected) ** 2 / np.maximum(expected, 1e-9)).sum())
    bits, entropy = float(model.information(made).mean()), model.entropy_rate().value
    checks = [
        # 12 degrees of freedom: chance exceeds 32.9 once in a thousand samples
        Check(
            f"decoded coin tosses have the chain's transitions (chi-square {chi2:.1f}, 32.9 once in 1,000)", chi2 < 32.9
        ),
        Check("and cost its entropy rate", abs(bits - entropy) < 0.05),
    ]
    return ("chain of order 1", count, bits, entropy), checks


def _of_text(seed: int, quick: bool) -> tuple[Table, tuple[str | float, ...], list[Check]]:
    count = 300 if quick else 2_000
    made, frequencies = of_network("text", count, seed)
    bits = -np.log2(frequencies[np.arange(count), made] / TOTAL)
    shares = frequencies / TOTAL
    entropies = -(shares * np.log2(shares)).sum(1)
    spread = 4 * float((bits - entropies).std()) * count**0.5
    blob = codec.compress(made.tobytes(), "text", mix=False)  # verified: it decodes it again
    checks = [
        Check(
            "a text model's sample costs what its distributions say, within 4 deviations",
            abs(bits.sum() - entropies.sum()) < spread,
        ),
        Check("and coded by it takes these bits again, with 24 bytes", 0 <= 8 * len(blob) - bits.sum() <= 8 * 24 + 64),
    ]
    table = Table("What the text model says if nobody asks", ("sample",), [(bytes(made).decode(errors="replace"),)])
    return table, ("text model", count, float(bits.mean()), float(entropies.mean())), checks


def _of_digits(seed: int, quick: bool) -> tuple[list[Table], list[Check]]:
    count, steps = (600, 60) if quick else (6000, 400)
    data, fresh = digits.drawn(5 * count, seed), digits.drawn(count, seed + 1)
    network = BeliefNetwork(data, steps)
    made = network.sample(count, seed + 2)
    free = np.clip(data.mean(0), 1e-6, 1 - 1e-6)  # a worse model: every pixel by itself
    alone = (np.random.default_rng(seed).random((count, len(free))) < free).astype(np.uint8)
    accuracy = {
        "data against data": discriminated(fresh, digits.drawn(count, seed + 3), steps),
        "data against the belief network's": discriminated(fresh, made, steps),
        "data against pixels drawn each alone": discriminated(fresh, alone, steps),
    }
    slack = 3 * 0.5 / count**0.5
    checks = [
        Check("data from data cannot be told", abs(accuracy["data against data"] - 0.5) < 2 * slack),
        Check(
            "the better model's samples are harder to tell",
            accuracy["data against the belief network's"] < accuracy["data against pixels drawn each alone"],
        ),
        Check("and its code is shorter", network.bits(fresh) < _independent_bits(free, fresh)),
    ]
    surely = {name: max(0.5, a - slack) for name, a in accuracy.items()}  # so that chance makes no bound
    rows = [(name, accuracy[name], 2 * a - 1, least_kl(a)) for name, a in surely.items()]
    table = Table(
        f"A discriminator on {count:,} pictures of digits of each kind",
        ("what", "accuracy", "total variation, at least", "KL, at least, bits"),
        rows,
    )
    pictures = Table(
        f"Digits: data, and decoded coin tosses ({network.bits(fresh):.1f} bits a picture of fresh data; "
        f"pixels alone {_independent_bits(free, fresh):.1f})",
        ("data", "belief network"),
        [(digits.shown(fresh[i]), digits.shown(made[i])) for i in range(4)],
    )
    return [table, pictures], checks


def _independent_bits(p: np.ndarray, pictures: np.ndarray) -> float:
    return float(-np.log2(np.where(pictures, p, 1 - p)).sum(1).mean())


def _bounded(seed: int, quick: bool) -> tuple[Table, list[Check], Plot]:
    """Bound and truth, where KL is known: sequences of a sticky bit against ever less sticky ones."""
    length, count, steps = 16, 2000 if quick else 20_000, 60 if quick else 300
    stay = 0.8
    rows, checks = [], []

    def sticky(stay: float) -> Chain:
        return Chain(np.array([[stay, 1 - stay], [1 - stay, stay]]))

    real = sticky(stay).sample(count * length, seed).reshape(count, length)
    for number, other in enumerate((0.8, 0.75, 0.65, 0.5)):
        made = of_chain(sticky(other), count * length, seed + number + 1).reshape(count, length)
        a = discriminated(_pairs(real), _pairs(made), steps)
        kl = (length - 1) * sticky(stay).kl_rate(sticky(other))
        least = least_kl(max(0.5, a - 2 / count**0.5))  # four deviations less, so that chance makes no bound
        rows.append((other, kl, a, least))
        checks.append(Check(f"sticky {other}: the bound holds", least <= kl + 1e-9))
    table = Table(
        f"{length} bits that repeat with probability {stay}, against a model's; KL known",
        ("model repeats with", "KL, bits", "accuracy", "KL, at least, bits"),
        rows,
    )
    exact = [row[1] for row in rows]
    plot = Plot(
        "A discriminator's bound on KL",
        "KL, bits",
        "bound, bits",
        (Curve("bound", exact, [row[3] for row in rows], line=False), Curve("bound = KL", exact, exact)),
    )
    return table, checks, plot


def _pairs(sequences: np.ndarray) -> np.ndarray:
    """Whether neighbours are the same; the first neighbour of a sequence is left out, as chains join."""
    return (sequences[:, 1:] == sequences[:, :-1]).astype(np.uint8)


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    chain, checks = _of_chain(seed, quick)
    text, bill, more = _of_text(seed, quick)
    pictures, of_digits = _of_digits(seed, quick)
    bound, bounds, plot = _bounded(seed, quick)
    costs = Table(
        "Samples from random words", ("model", "symbols", "bits/symbol", "entropy, bits/symbol"), [chain, bill]
    )
    return Result(THEORY, [costs, *pictures, bound, text], (plot,), [*checks, *more, *of_digits, *bounds])
