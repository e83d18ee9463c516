"""Real words for symbols under tables of probabilities, by the library's own coders, always decoded again."""

from __future__ import annotations

import numpy as np

from ..coding import CODERS
from ..errors import ArcodecError
from ..frequencies import from_probabilities
from ..sources import Chain, Image, Source

BOUND_BITS, BOUND_SHARE = 64.0, 1e-4  # what a coder may take beyond the code length of its frequencies


def allowed(bits: float) -> float:
    """The most bits a coder may add to a code length."""
    return BOUND_BITS + BOUND_SHARE * bits


def tables_of(model: Source, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The model's distributions (contexts, alphabet), and which of them holds for each of symbols (n,) -> (n,).

    Raises TypeError for a model without a finite set of contexts.
    """
    if isinstance(model, Chain):
        return model.table, model.contexts(symbols)
    if isinstance(model, Image):
        rolled = np.array([np.roll(model.noise, expected) for expected in range(model.alphabet)])
        return rolled, (symbols.astype(np.int64) - model.added(symbols)) % model.alphabet
    raise TypeError(f"{type(model).__name__} has no finite set of contexts")


def bits_under(symbols: np.ndarray, model: Source, coder: str = "range") -> int:
    """Bits of the words that ``coder`` (``range`` or ``ans``) makes of symbols (n,) uint8 under a chain or an image."""
    return bits_with(symbols, *tables_of(model, symbols), coder)


def bits_with(symbols: np.ndarray, table: np.ndarray, contexts: np.ndarray, coder: str = "range") -> int:
    """The same under probabilities (contexts, alphabet), a context (n,) for each symbol.

    Raises ArcodecError if they do not decode to the symbols.
    """
    frequencies = from_probabilities(table)
    words = CODERS[coder].encode(symbols, frequencies[contexts])
    decode = CODERS[coder].decoder(words).decode
    for symbol, context in zip(symbols.tolist(), contexts.tolist(), strict=True):
        if decode(frequencies[context]) != symbol:
            raise ArcodecError("an experiment's words do not decode to what was coded")
    return 32 * len(words)


def order_0(symbols: np.ndarray, probabilities: np.ndarray, coder: str = "range") -> int:
    """The same under one distribution (alphabet,) for all."""
    return bits_with(symbols, np.asarray(probabilities)[None], np.zeros(len(symbols), np.int64), coder)
