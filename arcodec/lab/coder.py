"""Real code words for symbols under tables of probabilities, by the library's own coders, always decoded again."""

from __future__ import annotations

import numpy as np

from ..coding import CODERS
from ..errors import ArcodecError
from ..frequencies import from_probabilities
from ..sources import Chain, Image, Source

BOUND_BITS, BOUND_SHARE = 64.0, 1e-4  # what a coder may take beyond the code length of its frequencies


def tables_of(model: Source, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The model's distributions (contexts, alphabet), and which of them holds for each of symbols (n,) -> (n,)."""
    if isinstance(model, Chain):
        return model.table, model.contexts(symbols)
    if isinstance(model, Image):
        rolled = np.array([np.roll(model.noise, expected) for expected in range(model.alphabet)])
        return rolled, (symbols.astype(np.int64) - model.added(symbols)) % model.alphabet
    raise TypeError(f"{type(model).__name__} has no finite set of contexts")


def coded_bits(symbols: np.ndarray, model: Source, coder: str = "range") -> int:
    """Bits of the words that ``coder`` (``range`` or ``ans``) makes of symbols (n,) uint8 under the model.

    Raises ArcodecError if they do not decode to the symbols.
    """
    table, contexts = tables_of(model, symbols)
    frequencies = from_probabilities(table)
    words = CODERS[coder].encode(symbols, frequencies[contexts])
    decoder = CODERS[coder].decoder(words)
    for symbol, context in zip(symbols.tolist(), contexts.tolist(), strict=True):
        if decoder.decode(frequencies[context]) != symbol:
            raise ArcodecError("an experiment's code words do not decode to what was coded")
    return 32 * len(words)
