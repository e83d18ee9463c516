"""Random sources whose entropy is known: the oracles of tests, experiments and the ledger.

A source gives samples, the exact information of each symbol given all before it, and its entropy rate. Where a rate
cannot be summed exactly (hidden Markov sources), it is estimated from samples and comes with an interval.

Entropy and KL rates: Cover and Thomas, *Elements of Information Theory*, chapters 2 and 4; forward filtering: Rabiner
1989, "A tutorial on hidden Markov models".
"""

from __future__ import annotations

import string
from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

import numpy as np

from .errors import UsageError
from .ledger import Rate

_99 = 2.5758293035489004  # the normal distribution's 99.5 % quantile: a two-sided interval of 99 %
_BATCHES = 100
_MOST = 256  # symbols are bytes
_LARGEST = 1_000_000  # of any whole number in a specification
_LONGEST = 3_000_000  # symbols from which a rate is estimated


class Source(Protocol):
    """A stationary process over symbols 0 .. alphabet - 1, kept as uint8."""

    alphabet: int

    def sample(self, count: int, seed: int) -> np.ndarray:
        """So many symbols (count,) uint8; the same for the same seed."""
        ...

    def information(self, symbols: np.ndarray) -> np.ndarray:
        """-log2 p(x_t | x_1 .. x_(t-1)) of each of symbols (n,) -> (n,) float64 bits; inf where p is 0."""
        ...

    def entropy_rate(self) -> Rate:
        """Bits per symbol."""
        ...


def mean_with_interval(bits: np.ndarray) -> Rate:
    """The mean of bits (n,), n > 0, and its 99 % interval from the means of 100 batches, since neighbours may depend.

    So may the batches: their correlations are added up two by two while they are above 0 (Geyer 1992, "Practical Markov
    chain Monte Carlo", the initial positive sequence). One symbol says nothing of its spread: inf.
    """
    batches = min(_BATCHES, len(bits))
    if batches < 2:
        return Rate(float(bits.mean()), np.inf)
    means = bits[: len(bits) // batches * batches].reshape(batches, -1).mean(1)
    off = means - means.mean()
    correlations = np.correlate(off, off, "full")[batches - 1 :] / (batches - 1)
    pairs = correlations[: batches // 2 * 2].reshape(-1, 2).sum(1)
    falling = pairs[1:] <= 0
    count = 1 + (int(falling.argmax()) if falling.any() else len(falling))
    variance = max(2 * pairs[:count].sum() - correlations[0], correlations[0])
    return Rate(float(bits.mean()), _99 * float(variance / batches) ** 0.5)


def kl_rate(source: Source, model: Source, count: int = 1_000_000, seed: int = 0) -> Rate:
    """KL(source || model) in bits per symbol: summed where both are chains or both images, else from a sample.

    Raises UsageError if the model knows fewer symbols.
    """
    if isinstance(source, Chain) and isinstance(model, Chain):
        return Rate(source.kl_rate(model))
    same_shape = isinstance(source, Image) and isinstance(model, Image) and source.width == model.width
    if isinstance(source, Image) and isinstance(model, Image) and same_shape and source.alphabet == model.alphabet:
        return Rate(float(_kl(source.noise, model.noise)))
    if model.alphabet < source.alphabet:
        raise UsageError(f"a model of {model.alphabet} symbols cannot tell what a source of {source.alphabet} costs")
    symbols = source.sample(count, seed)
    return mean_with_interval(model.information(symbols) - source.information(symbols))


def _log2(p: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):  # -inf is the answer for 0
        return np.asarray(np.log2(p))


def _kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """KL of distributions along the last axis, in bits."""
    with np.errstate(divide="ignore"):
        ratio = np.where(p > 0, p, 1) / np.where(p > 0, q, 1)  # inf where only q is 0
    return np.asarray((p * _log2(ratio)).sum(-1))


def _entropy(p: np.ndarray) -> np.ndarray:
    return np.asarray(-(p * _log2(np.where(p > 0, p, 1))).sum(-1))


class Chain:
    """A Markov chain of any order. Order 0 draws symbols independently; Bernoulli and categorical sources are such.

    table: (alphabet ** order, alphabet), p(next | context). A context is a number to the base of the alphabet, its
    lowest digit the last symbol; where there are fewer than ``order`` symbols, the missing ones count as 0.
    """

    def __init__(self, table: np.ndarray) -> None:
        self.table = np.asarray(table, np.float64)
        contexts, self.alphabet = self.table.shape
        self.order = round(np.log(contexts) / np.log(self.alphabet)) if self.alphabet > 1 else 0
        if self.alphabet > _MOST or self.alphabet**self.order != contexts:
            raise UsageError(
                f"a table of shape {self.table.shape} is no chain's: expected (alphabet ** order, alphabet)"
            )
        if np.any(self.table < 0) or not np.allclose(self.table.sum(1), 1):
            raise UsageError("a chain's probabilities must be at least 0 and sum to 1 in each context")

    def contexts(self, symbols: np.ndarray) -> np.ndarray:
        """The context before each of symbols (n,) -> (n,) int64."""
        padded = np.concatenate([np.zeros(self.order, np.int64), symbols.astype(np.int64)])
        number = np.zeros(len(symbols), np.int64)
        for back in range(self.order):
            start = self.order - 1 - back
            number += padded[start : start + len(symbols)] * self.alphabet**back
        return number

    def sample(self, count: int, seed: int) -> np.ndarray:
        """See ``Source``."""
        uniform = np.random.default_rng(seed).random(count)
        symbols = np.zeros(count, np.uint8)
        if self.order == 0:
            symbols[:] = np.searchsorted(_cumulative(self.table[0]), uniform, "right")
            return symbols
        rows = [_cumulative(row).tolist() for row in self.table]
        context, contexts = 0, len(rows)
        for t, u in enumerate(uniform.tolist()):
            symbol = bisect_right(rows[context], u)
            symbols[t] = symbol
            context = (context * self.alphabet + symbol) % contexts
        return symbols

    def information(self, symbols: np.ndarray) -> np.ndarray:
        """See ``Source``."""
        return -_log2(self.table[self.contexts(symbols), symbols])

    def stationary(self) -> np.ndarray:
        """How often each context occurs in the long run, (contexts,); of a chain that forgets where it began."""
        contexts = len(self.table)
        share = np.full(contexts, 1 / contexts)
        if self.order == 0:
            return share
        for _ in range(100_000):
            after = (share[:, None] * self.table).reshape(self.alphabet, -1, self.alphabet).sum(0).ravel()
            after = (after + share) / 2  # halfway, so that a chain with a period settles, too
            if np.abs(after - share).max() < 1e-15:
                break
            share = after
        return share / share.sum()

    def entropy_rate(self) -> Rate:
        """See ``Source``; exact."""
        return Rate(float(self.stationary() @ _entropy(self.table)))

    def lifted(self, order: int) -> Chain:
        """The same chain written with more context than it needs."""
        return Chain(np.tile(self.table, (self.alphabet ** (order - self.order), 1)))

    def kl_rate(self, model: Chain) -> float:
        """KL(self || model) in bits per symbol, summed. Raises UsageError for another alphabet."""
        if self.alphabet != model.alphabet:
            raise UsageError(f"alphabets of {self.alphabet} and {model.alphabet} symbols cannot be compared")
        order = max(self.order, model.order)
        source, other = self.lifted(order), model.lifted(order)
        return float(source.stationary() @ _kl(source.table, other.table))


def _cumulative(p: np.ndarray) -> np.ndarray:
    """The inner bounds of the symbols' intervals; the last symbol that can come takes all that is left."""
    total = np.cumsum(p)
    total[np.flatnonzero(p)[-1] :] = np.inf
    return np.asarray(total)


class HiddenMarkov:
    """A chain of states nobody sees, each of which draws symbols in its own way. It begins in its stationary state.

    transition: (states, states), emission: (states, alphabet); rows sum to 1.
    """

    def __init__(self, transition: np.ndarray, emission: np.ndarray) -> None:
        self.states, self.emission = Chain(transition), np.asarray(emission, np.float64)
        self.alphabet = self.emission.shape[1]
        if self.alphabet > _MOST:
            raise UsageError(f"a source has at most {_MOST} symbols, not {self.alphabet}")
        if self.emission.shape[0] != self.states.alphabet or not np.allclose(self.emission.sum(1), 1):
            raise UsageError("a hidden Markov source needs a distribution over symbols for each of its states")
        self.start = self.states.stationary()

    def sample(self, count: int, seed: int) -> np.ndarray:
        """See ``Source``."""
        steps, draws = np.random.default_rng(seed).random((2, count))
        rows = [_cumulative(row).tolist() for row in self.states.table]
        row, path = _cumulative(self.start).tolist(), np.zeros(count, np.int64)
        for t, u in enumerate(steps.tolist()):
            path[t] = state = bisect_right(row, u)
            row = rows[state]
        bounds = np.array([_cumulative(row) for row in self.emission])
        return (bounds[path] <= draws[:, None]).sum(1).astype(np.uint8)

    def information(self, symbols: np.ndarray) -> np.ndarray:
        """See ``Source``; by forward filtering, exact."""
        belief, out = self.start, np.empty(len(symbols))
        transition = self.states.table
        likelihoods = self.emission.T[symbols]
        for t in range(len(symbols)):
            joint = belief * likelihoods[t]
            out[t] = total = joint.sum()
            belief = joint @ transition / total if total > 0 else self.start
        return -_log2(out)

    @lru_cache(maxsize=1)  # noqa: B019  a source lives as long as whoever measures with it
    def entropy_rate(self) -> Rate:
        """See ``Source``; from a sample, since there is no closed form.

        It is long enough for the states to forget where they began hundreds of times. Raises UsageError if that would
        be too long, or if they never forget: then no single rate exists.
        """
        slowest = np.sort(np.linalg.eigvals(self.states.table).real)[-2]  # what alternates averages out
        count = max(300_000, 200 / max(1 - slowest, 1e-12))  # the second eigenvalue's powers are what is remembered
        if count > _LONGEST:
            raise UsageError("the source changes its hidden state too rarely for its entropy rate to be estimated")
        return mean_with_interval(self.information(self.sample(round(count), seed=20_001)))


class Image:
    """A random picture, row by row: the mean of west and north, rounded down, plus noise, modulo the alphabet.

    Given what is known, a pixel and its noise tell each other, so the entropy rate is the noise's, exactly. Where there
    is no neighbour, the other takes its place; the first pixel's neighbours count as 0.

    noise: (alphabet,), the probability of each amount added.
    """

    def __init__(self, noise: np.ndarray, width: int) -> None:
        self.noise, self.width = np.asarray(noise, np.float64), width
        self.alphabet = len(self.noise)
        if not 1 < self.alphabet <= _MOST or not np.isclose(self.noise.sum(), 1) or np.any(self.noise < 0):
            raise UsageError("an image's noise is a distribution over 2 to 256 values")
        if width < 1:
            raise UsageError(f"an image {width} pixels wide: expected 1 or more")

    def _expected(self, pixels: list[int], t: int) -> int:
        west = pixels[t - 1] if t % self.width else None
        north = pixels[t - self.width] if t >= self.width else None
        if west is None or north is None:
            return west or north or 0
        return (west + north) // 2

    def sample(self, count: int, seed: int) -> np.ndarray:
        """See ``Source``; the last row may be cut off."""
        noise = Chain(self.noise[None]).sample(count, seed).tolist()
        pixels: list[int] = []
        for t in range(count):
            pixels.append((self._expected(pixels, t) + noise[t]) % self.alphabet)
        return np.array(pixels, np.uint8)

    def added(self, symbols: np.ndarray) -> np.ndarray:
        """The noise that made symbols (n,) -> (n,) int64."""
        pixels = symbols.tolist()
        return np.array([(pixels[t] - self._expected(pixels, t)) % self.alphabet for t in range(len(pixels))], np.int64)

    def information(self, symbols: np.ndarray) -> np.ndarray:
        """See ``Source``."""
        return -_log2(self.noise[self.added(symbols)])

    def entropy_rate(self) -> Rate:
        """See ``Source``; exact."""
        return Rate(float(_entropy(self.noise)))


def letters(frequencies: Mapping[str, float]) -> Chain:
    """Characters drawn independently, as ASCII bytes."""
    p = np.zeros(128)
    for letter, frequency in frequencies.items():
        p[ord(letter)] = frequency
    return Chain((p / p.sum())[None])


def bernoulli(p: float) -> Chain:
    """Coin tosses: 1 with probability p."""
    return Chain(np.array([[1 - p, p]]))


def _need_positive(name: str, value: float) -> None:
    if not value > 0:
        raise UsageError(f"{name} {value}: expected a number above 0")


def random_chain(order: int, alphabet: int, concentration: float, seed: int) -> Chain:
    """A chain whose rows are drawn from a Dirichlet distribution; the smaller the concentration, the more certain."""
    if not (0 <= order <= 8 and 1 < alphabet <= _MOST and alphabet ** (order + 1) <= 1 << 24):
        raise UsageError(f"a chain of order {order} over {alphabet} symbols: expected at most 2**24 probabilities")
    _need_positive("concentration", concentration)
    generator = np.random.default_rng(seed)
    return Chain(generator.dirichlet(np.full(alphabet, concentration), alphabet**order))


def random_hidden(states: int, alphabet: int, stay: float, seed: int) -> HiddenMarkov:
    """States that stay with probability ``stay`` and otherwise go anywhere; emissions are drawn from a Dirichlet."""
    if not 1 < states <= _MOST:
        raise UsageError(f"{states} hidden states: expected 2 to {_MOST}")
    transition = np.full((states, states), (1 - stay) / (states - 1))
    np.fill_diagonal(transition, stay)
    emission = np.random.default_rng(seed).dirichlet(np.full(alphabet, 0.5), states)
    return HiddenMarkov(transition, emission)


def bursty(quiet: float, busy: float, stay: float) -> HiddenMarkov:
    """Bits that are 1 rarely, and for a while often."""
    return HiddenMarkov(
        np.array([[stay, 1 - stay], [1 - stay, stay]]), np.array([[1 - quiet, quiet], [1 - busy, busy]])
    )


def image(alphabet: int, width: int, spread: float) -> Image:
    """An ``Image`` whose noise falls off by exp(-1 / spread) a step, to both sides."""
    _need_positive("spread", spread)
    distance = np.minimum(np.arange(alphabet), alphabet - np.arange(alphabet))
    noise = np.exp(-distance / spread)
    return Image(noise / noise.sum(), width)


# Per cent of letters in English text, from Lewand 2000, *Cryptological Mathematics*; in German, from Beutelspacher
# 2005, *Kryptologie*, umlauts written with e. Of a hundred characters 18 are taken to be spaces.
ENGLISH = (
    "8.167 1.492 2.782 4.253 12.702 2.228 2.015 6.094 6.966 0.153 0.772 4.025 2.406 6.749 7.507 1.929 0.095 5.987 \
6.327 9.056 2.758 0.978 2.360 0.150 1.974 0.074"
)
GERMAN = (
    "6.51 1.89 3.06 5.08 17.40 1.66 3.01 4.76 7.55 0.27 1.21 3.44 2.53 9.78 2.51 0.79 0.02 7.00 7.27 6.15 4.35 0.67 \
1.89 0.03 0.04 1.13"
)
_SPACES = 18.0


def language(per_cent: str) -> Chain:
    """Letters and spaces drawn independently, by ENGLISH or GERMAN."""
    shares = np.array(per_cent.split(), np.float64)
    shares *= (100 - _SPACES) / shares.sum()
    return letters({" ": _SPACES, **dict(zip(string.ascii_lowercase, shares.tolist(), strict=True))})


_Made = Callable[..., Source]
_KINDS: dict[str, tuple[_Made, dict[str, float]]] = {  # a maker and its settings
    "bernoulli": (bernoulli, {"p": 0.1}),
    "categorical": (lambda **p: Chain(np.array([list(p.values())])), {}),
    "markov": (random_chain, {"order": 2, "alphabet": 4, "concentration": 0.3, "seed": 0}),
    "hidden": (random_hidden, {"states": 3, "alphabet": 4, "stay": 0.95, "seed": 0}),
    "bursty": (bursty, {"quiet": 0.02, "busy": 0.4, "stay": 0.99}),
    "image": (image, {"alphabet": 64, "width": 256, "spread": 1.5}),
    "english": (lambda: language(ENGLISH), {}),
    "german": (lambda: language(GERMAN), {}),
}
KINDS = tuple(_KINDS)
_PROBABILITIES = ("p", "quiet", "busy", "stay")


def parse(spec: str) -> Source:
    """The source a specification names: ``KIND`` or ``KIND:SETTING=VALUE,...``, as ``markov:order=1,alphabet=8``.

    ``categorical:0.5,0.25,0.25`` lists its probabilities. Raises UsageError.
    """
    kind, _, rest = spec.partition(":")
    if kind not in _KINDS:
        raise UsageError(f"no source {kind!r}: there are {', '.join(_KINDS)}")
    make, defaults = _KINDS[kind]
    parts = [part for part in rest.split(",") if part]
    if kind == "categorical":
        parts = [f"p{i}={part}" for i, part in enumerate(parts or ["0.5", "0.25", "0.125", "0.125"])]
        defaults = {part.partition("=")[0]: 0.0 for part in parts}
    settings = dict(defaults)
    for part in parts:
        name, _, value = part.partition("=")
        if name not in defaults:
            raise UsageError(f"source {kind} has no setting {name!r}: it has {', '.join(defaults) or 'none'}")
        try:
            settings[name] = type(defaults[name])(value)
        except ValueError:
            raise UsageError(f"{spec}: {value!r} is no {type(defaults[name]).__name__}") from None
        if isinstance(settings[name], int) and not 0 <= settings[name] <= _LARGEST:
            raise UsageError(f"{spec}: {name} must be from 0 to {_LARGEST:,}")
        if (name in _PROBABILITIES or kind == "categorical") and not 0 <= settings[name] <= 1:
            raise UsageError(f"{spec}: {value} is no probability")
    return make(**settings)
