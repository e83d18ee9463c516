"""Both coders against known words, the compiled range coder against constriction, and rates against the entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from arcodec import range_kernel as rk
from arcodec.coding import CODERS
from arcodec.errors import DamagedError
from arcodec.frequencies import TOTAL, coded_bits, from_weights


@njit
def compiled_encode(symbols: np.ndarray, frequencies: np.ndarray, words: np.ndarray) -> int:
    coder = rk.new_encoder()
    for t in range(len(symbols)):
        left = np.int64(0)
        for i in range(symbols[t]):
            left += frequencies[t, i]
        rk.encode(coder, words, left, frequencies[t, symbols[t]])
    return rk.finish(coder, words)


@njit
def compiled_decode(words: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    coder = rk.new_decoder(words)
    out = np.empty(len(frequencies), np.int64)
    for t in range(len(frequencies)):
        out[t] = rk.decode(coder, words, frequencies[t])
    return out


def encoded(symbols: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    words = np.empty(rk.room_for(len(symbols)), np.uint32)
    return words[: compiled_encode(symbols, frequencies, words)]


@st.composite
def sequences(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Symbols and frequencies, from flat to as skewed as frequencies can be."""
    alphabet, length = draw(st.integers(2, 40)), draw(st.integers(0, 80))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = np.exp2(random.uniform(0, draw(st.integers(0, 24)), (length, alphabet))).astype(np.int64)
    frequencies = from_weights(weights)
    likely = draw(st.booleans())
    symbols = frequencies.argmax(1) if likely else random.integers(0, alphabet, length)
    return symbols.reshape(length).astype(np.int64), frequencies


def test_words_by_hand() -> None:
    """Two symbols of probability 1/4 and 1/2, computed by hand from the interval's definition.

    range = 2**64 - 1, scale = 2**40 - 1. Symbol 1 of (1/4, 3/4): lower = 2**22 * scale, range = 3 * 2**22 * scale.
    Symbol 0 of (1/2, 1/2): scale' = range >> 24, lower stays, range = 2**23 * scale'. No word has left; the end writes
    the top word of lower + 2**32 - 1, and lower = 2**62 - 2**22, so that is 2**62 + ... >> 32 = 2**30.
    """
    frequencies = np.array([[TOTAL // 4, 3 * TOTAL // 4], [TOTAL // 2, TOTAL // 2]])
    symbols = np.array([1, 0])
    assert CODERS["range"].encode(symbols, frequencies).tolist() == [2**30]
    assert encoded(symbols, frequencies).tolist() == [2**30]


def test_ans_words_by_hand() -> None:
    """An ANS state of 0 takes four symbols of frequency 2**18: x -> (x // f << 24) + left + x % f, from the last to the
    first; a state beyond 2**(64 - 24) * f sheds its low word first."""
    frequencies = np.full((4, 64), 2**18)
    symbols = np.array([5, 6, 7, 8])
    state, shed = 0, []
    for symbol in symbols[::-1]:
        f, left = 2**18, int(symbol) << 18
        if state >= f << 40:
            shed.append(state & 0xFFFFFFFF)
            state >>= 32
        state = (state // f << 24) + left + state % f
    words = [*shed, state & 0xFFFFFFFF, *([state >> 32] if state >> 32 else [])]
    assert CODERS["ans"].encode(symbols, frequencies).tolist() == words


def test_constriction_uses_our_frequencies_unchanged() -> None:
    """f - 1 with perfect=False codes with f / 2**24: a symbol of f = 1 costs 24 bits, its neighbour next to nothing."""
    frequencies = np.ones((1000, 256), np.int64)
    frequencies[:, 3] = TOTAL - 255
    rare, common = np.full(1000, 200), np.full(1000, 3)
    assert len(CODERS["range"].encode(rare, frequencies)) == pytest.approx(1000 * 24 / 32, abs=2)
    assert len(CODERS["range"].encode(common, frequencies)) <= 2


@given(sequences())
def test_compiled_equals_constriction_in_both_directions(case: tuple[np.ndarray, np.ndarray]) -> None:
    symbols, frequencies = case
    words = CODERS["range"].encode(symbols, frequencies)
    assert np.array_equal(encoded(symbols, frequencies), words)
    assert np.array_equal(compiled_decode(words, frequencies), symbols)


def test_carries_pass_through_words_held_back() -> None:
    """Intervals that straddle a word's end for long: the middle third of thirds, again and again, then either side."""
    frequencies = np.tile(np.array([TOTAL // 2 - 1, 2, TOTAL // 2 - 1]), (200, 1))
    held = 0
    for length in range(2, 40):
        for last in (0, 2):
            symbols = np.ones(length, np.int64)
            symbols[-1] = last
            words = CODERS["range"].encode(symbols, frequencies[:length])
            assert np.array_equal(encoded(symbols, frequencies[:length]), words)
            assert np.array_equal(compiled_decode(words, frequencies[:length]), symbols)
            held += int(np.any((words[1:-1] == 0) | (words[1:-1] == 0xFFFFFFFF)))
    assert held > 10  # the case was really met


@njit
def bits_encode(ones: np.ndarray, bits: np.ndarray, words: np.ndarray) -> int:
    coder = rk.new_encoder()
    for t in range(len(bits)):
        rk.encode_bit(coder, words, ones[t], bits[t])
    return rk.finish(coder, words)


@njit
def bits_decode(ones: np.ndarray, words: np.ndarray) -> np.ndarray:
    coder = rk.new_decoder(words)
    out = np.empty(len(ones), np.int64)
    for t in range(len(ones)):
        out[t] = rk.decode_bit(coder, words, ones[t])
    return out


@given(st.integers(0, 2**32), st.integers(0, 3000), st.booleans())
def test_bits_code_the_interval_that_the_definition_gives(seed: int, length: int, likely: bool) -> None:
    """Against the interval in integers without end, of which the words must name a point."""
    random = np.random.default_rng(seed)
    ones = np.exp2(random.uniform(1, 19.99, length)).astype(np.int64)
    ones = np.where(random.random(length) < 0.5, ones, 2**20 - ones)
    bits = (ones > 2**19).astype(np.int64) if likely else random.integers(0, 2, length)
    words = np.empty(rk.room_for(length), np.uint32)
    words = words[: bits_encode(ones, bits, words)]
    assert np.array_equal(bits_decode(ones, words), bits)
    low, size, shift = 0, 2**64 - 1, 64
    for one, bit in zip(ones.tolist(), bits.tolist(), strict=True):
        scale = size >> 20
        low, size = (low + scale * (2**20 - one), scale * one) if bit else (low, scale * (2**20 - one))
        if size < 2**32:
            low, size, shift = low << 32, size << 32, shift + 32
    point = int.from_bytes(words.astype(">u4").tobytes(), "big") << (shift - 32 * len(words)) if length else 0
    assert low <= point < low + size


@pytest.mark.parametrize("name", sorted(CODERS))
@given(case=sequences())
def test_round_trip(name: str, case: tuple[np.ndarray, np.ndarray]) -> None:
    symbols, frequencies = case
    decoder = CODERS[name].decoder(CODERS[name].encode(symbols, frequencies))
    assert [decoder.decode(row) for row in frequencies] == symbols.tolist()


@pytest.mark.parametrize("name", sorted(CODERS))
def test_rate_is_the_code_length(name: str) -> None:
    random = np.random.default_rng(0)
    frequencies = np.tile(from_weights(random.integers(1, 2**20, (1, 100))), (50_000, 1))
    symbols = random.choice(100, 50_000, p=frequencies[0] / TOTAL)
    ideal = coded_bits(frequencies, symbols).sum()
    spent = 32 * len(CODERS[name].encode(symbols, frequencies))
    assert 0 <= spent - ideal < 64 + 1e-4 * ideal


def test_damaged_words_are_an_error() -> None:
    frequencies = np.full((4, 3), TOTAL // 3)
    frequencies[:, 0] += TOTAL - 3 * (TOTAL // 3)
    with pytest.raises(DamagedError):
        decoder = CODERS["range"].decoder(np.full(4, 0xFFFFFFFF, np.uint32))
        for row in frequencies:
            decoder.decode(row)
