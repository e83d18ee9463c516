"""What followed: against a plain dictionary, and which symbols each context depends on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcodec.exact import followers
from arcodec.exact import spec as s
from arcodec.exact.contexts import remember, rows_of
from arcodec.exact.memory import Memory, fresh_memory


def _after(past: bytes, contexts: int = s.MOST_FOLLOWERS) -> Memory:
    memory = fresh_memory(contexts)
    for symbol in past:
        remember(memory, symbol)
    return memory


@given(st.lists(st.sampled_from(b"ab \xff"), max_size=120))
def test_rows_are_those_of_a_dictionary(text: list[int]) -> None:
    symbols = np.array(text, np.uint8)
    rows = rows_of(symbols, fresh_memory(s.MOST_FOLLOWERS), 4, 0).reshape(-1, s.MOST_FOLLOWERS, 2)
    known: dict[tuple[int, int], tuple[int, int, int, int | None]] = {}  # check, symbol, streak, last other one
    memory = fresh_memory(s.MOST_FOLLOWERS)
    for symbol, given_rows in zip(text, rows, strict=True):
        for context, hashed in enumerate(memory.hashes.tolist()):
            slot, check = (context, hashed >> (64 - s.SLOTS_LOG2)), hashed >> 32 & 0xFFF
            newest = other = 0
            before = known.get(slot)
            if before is not None and before[0] == check:
                _, said, streak, last_other = before
                newest = 1 + 4 * said + [0, 1, 2, 2, 3][min(streak, 5) - 1]
                other = 0 if last_other is None else 1 + last_other
                if said == symbol:
                    known[slot] = (check, said, streak + 1, last_other)
                else:
                    known[slot] = (check, symbol, 1, said)
            else:
                known[slot] = (check, symbol, 1, None)
            start = context * s.FOLLOWER_ROWS
            assert given_rows[context].tolist() == [start + newest, start + s.FIRST_OTHER + other]
        remember(memory, symbol)


def test_rows_stay_within_their_table() -> None:
    symbols = np.random.default_rng(1).choice(np.array([32, 255, 255], np.uint8), 3000)
    rows = rows_of(symbols, fresh_memory(s.MOST_FOLLOWERS), 4, 0)
    for context in range(s.MOST_FOLLOWERS):
        own = rows[:, 2 * context : 2 * context + 2] - context * s.FOLLOWER_ROWS
        assert own.min() == 0
        assert own[:, 0].max() == s.FIRST_OTHER - 1
        assert own[:, 1].min() == s.FIRST_OTHER
        assert own[:, 1].max() == s.FOLLOWER_ROWS - 1


@pytest.mark.parametrize(("context", "length"), list(enumerate((2, 3, 4, 5, 6, 8, 12), start=2)))
def test_contexts_of_symbols(context: int, length: int) -> None:
    """They depend on the last so many symbols and on nothing before them."""
    past = b"The quick brown fox"
    hashed = _after(past).hashes[context]
    for back in range(1, len(past) + 1):
        other = bytearray(past)
        other[-back] ^= 1
        assert (_after(bytes(other)).hashes[context] == hashed) == (back > length), back


def test_contexts_of_words() -> None:
    def same(context: int, one: bytes, other: bytes) -> bool:
        return bool(_after(one).hashes[context] == _after(other).hashes[context])

    assert same(0, b"two red ca", b"many RED ca")  # the word so far, and the one before it
    assert not same(0, b"two red ca", b"two rod ca")
    assert same(1, b"two red ca", b"two rod ca")  # the word so far
    assert not same(1, b"two red ca", b"two red co")
    assert same(1, b"two red, ", b"a red: ")  # between words, the last symbol and the word before it
    assert not same(1, b"two red, ", b"two red,")
    assert not same(1, b"two red, ", b"two rod, ")


def test_nothing_is_remembered_without_contexts() -> None:
    memory = _after(b"some text", 0)
    assert len(memory.slots) == len(memory.hashes) == 0
    assert rows_of(np.zeros(3, np.uint8), memory, 4, 2).shape == (3, 2)


def test_before_the_start_hashes_are_those_of_nothing() -> None:
    """A fresh memory need not be told so."""
    memory = fresh_memory(s.MOST_FOLLOWERS)
    followers.go_on(memory)
    assert not memory.hashes.any()
