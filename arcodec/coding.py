"""Integer frequencies <-> words, over constriction.

Two coders behind one interface. The range coder is a queue: symbols come out in the order they went in, which is what
autoregressive decoding needs. ANS is a stack; it is filled from the last symbol to the first, so that decoding runs
forwards too. Words are uint32.

constriction takes probabilities as floats and rounds them. Handed f - 1 for f >= 1 with ``perfect=False`` it adds one
to each and, since they then sum to 2**24 exactly, changes nothing: it codes with f / 2**24. The tests pin this.

Neither coder notices damage or truncation; the container does.
"""

from __future__ import annotations

from typing import Any, Protocol

import constriction
import numpy as np

from .errors import DamagedError

Categorical = constriction.stream.model.Categorical


def _family() -> Any:
    return Categorical(perfect=False)


def _checked(frequencies: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(frequencies - 1, dtype=np.float64)


class SymbolDecoder(Protocol):
    """Takes symbols out one at a time, each with its own distribution."""

    def decode(self, frequencies: np.ndarray) -> int:
        """The next symbol under frequencies (alphabet,)."""
        ...


class Coder(Protocol):
    """Whole sequences in, one symbol at a time out."""

    name: str

    def encode(self, symbols: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
        """symbols (n,), frequencies (n, alphabet) -> words uint32."""
        ...

    def decoder(self, words: np.ndarray) -> SymbolDecoder:
        """A decoder at the first symbol."""
        ...


class _Decoder:
    def __init__(self, source: Any) -> None:
        self._source = source

    def decode(self, frequencies: np.ndarray) -> int:
        try:
            return int(self._source.decode(Categorical(_checked(frequencies), perfect=False)))
        except AssertionError as error:  # constriction's word for words no encoder could have written
            raise DamagedError("the coded data are damaged: no symbol fits them") from error


class RangeCoder:
    """Range coding (Martin 1979; Pasco 1976): a queue."""

    name = "range"

    def encode(self, symbols: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
        """symbols (n,), frequencies (n, alphabet) -> words uint32."""
        encoder = constriction.stream.queue.RangeEncoder()
        if len(symbols):
            encoder.encode(symbols.astype(np.int32), _family(), _checked(frequencies))
        return np.asarray(encoder.get_compressed())

    def decoder(self, words: np.ndarray) -> SymbolDecoder:
        """A decoder at the first symbol."""
        return _Decoder(constriction.stream.queue.RangeDecoder(words))


class AnsCoder:
    """Asymmetric numeral systems (Duda 2009): a stack, filled backwards."""

    name = "ans"

    def encode(self, symbols: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
        """symbols (n,), frequencies (n, alphabet) -> words uint32."""
        stack = constriction.stream.stack.AnsCoder()
        if len(symbols):
            stack.encode_reverse(symbols.astype(np.int32), _family(), _checked(frequencies))
        return np.asarray(stack.get_compressed())

    def decoder(self, words: np.ndarray) -> SymbolDecoder:
        """A decoder at the first symbol."""
        return _Decoder(constriction.stream.stack.AnsCoder(words))


CODERS: dict[str, Coder] = {"range": RangeCoder(), "ans": AnsCoder()}
