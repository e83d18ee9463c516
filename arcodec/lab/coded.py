"""Real words for symbols under tables of probabilities, by the library's own coders, always decoded again."""

from __future__ import annotations

import numpy as np

from .. import range_kernel
from ..coding import CODERS
from ..errors import ArcodecError
from ..frequencies import TOTAL, from_probabilities
from ..jit import kernel
from ..range_kernel import BIT_TOTAL
from ..sources import Chain, Image, Source

_LOST = "an experiment's words do not decode to what was coded"
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

    ``bits`` is the coder of the mixture's kernel, for an alphabet of two.

    Raises ArcodecError if they do not decode to the symbols.
    """
    if coder == "bits":
        return _bits_with(symbols, _ones(table)[contexts])
    frequencies = from_probabilities(table)
    words = CODERS[coder].encode(symbols, frequencies[contexts])
    decode = CODERS[coder].decoder(words).decode
    for symbol, context in zip(symbols.tolist(), contexts.tolist(), strict=True):
        if decode(frequencies[context]) != symbol:
            raise ArcodecError(_LOST)
    return 32 * len(words)


def ideal_bits(symbols: np.ndarray, table: np.ndarray, contexts: np.ndarray, coder: str) -> float:
    """What the frequencies that ``bits_with`` codes with would take if the coder were perfect."""
    if coder == "bits":
        one = _ones(table)[contexts] / BIT_TOTAL
        return float(-np.log2(np.where(symbols, one, 1 - one)).sum())
    return float(-np.log2(from_probabilities(table)[contexts, symbols] / TOTAL).sum())


def _ones(table: np.ndarray) -> np.ndarray:
    """Of probabilities (contexts, 2), the frequencies of 1, (contexts,)."""
    return np.clip(np.rint(table[:, 1] * BIT_TOTAL), 1, BIT_TOTAL - 1).astype(np.int64)


def _bits_with(symbols: np.ndarray, ones: np.ndarray) -> int:
    coder, words = range_kernel.new_encoder(), np.empty(range_kernel.room_for_bits(len(symbols)), np.uint32)
    _put_bits(coder, words, symbols, ones)
    words = words[: range_kernel.finish(coder, words)]
    back = np.empty_like(symbols)
    _take_bits(range_kernel.new_decoder(words), words, ones, back)
    if not np.array_equal(back, symbols):
        raise ArcodecError(_LOST)
    return 32 * len(words)


@kernel
def _put_bits(coder: np.ndarray, words: np.ndarray, symbols: np.ndarray, ones: np.ndarray) -> None:
    for t in range(len(symbols)):
        range_kernel.encode_bit(coder, words, ones[t], symbols[t])


@kernel
def _take_bits(coder: np.ndarray, words: np.ndarray, ones: np.ndarray, symbols: np.ndarray) -> None:
    for t in range(len(symbols)):
        symbols[t] = range_kernel.decode_bit(coder, words, ones[t])


def order_0(symbols: np.ndarray, probabilities: np.ndarray, coder: str = "range") -> int:
    """The same under one distribution (alphabet,) for all."""
    return bits_with(symbols, np.asarray(probabilities)[None], np.zeros(len(symbols), np.int64), coder)
