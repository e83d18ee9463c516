"""Experts and mixer: tables, learning, agreement of encoder and decoder, rates against known entropies."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcodec.errors import DamagedError, ModelError
from arcodec.mixing import engine as mixing_engine
from arcodec.mixing import logistic
from arcodec.mixing.engine import MixtureEngine
from arcodec.models import store
from arcodec.models.file import Model

EXPERTS = MixtureEngine(None)


def quiet(done: int) -> None:
    pass


def bits(data: bytes, engine: MixtureEngine = EXPERTS) -> float:
    (coded,) = engine.encode([np.frombuffer(data, np.uint8)], quiet)
    assert abs(32 * len(coded.words) - coded.coded_bits) < 64 + 2e-4 * coded.coded_bits
    (back,) = engine.decode([(coded.words, len(data))], quiet)
    assert back.tobytes() == data
    return coded.coded_bits


def test_tables_approximate_what_they_stand_for() -> None:
    x = np.arange(-logistic.LIMIT, logistic.LIMIT + 1) / logistic.STEPS
    assert np.abs(logistic.SQUASH / 2**24 - 1 / (1 + np.exp(-x))).max() < 2**-24
    p = (np.arange(1 << 14) + 0.5) / (1 << 14)
    assert np.abs(logistic.STRETCH - np.log(p / (1 - p))).max() < 1e-3
    assert (np.diff(logistic.SQUASH) >= 0).all()
    assert (np.diff(logistic.STRETCH) > 0).all()


@settings(max_examples=30)
@given(st.binary(max_size=400))
def test_round_trip_of_any_bytes(data: bytes) -> None:
    bits(data)


@pytest.mark.parametrize("p", [0.5, 0.1, 0.01])
def test_rate_approaches_the_entropy_of_a_bernoulli_source(p: float) -> None:
    """Bytes 'a' and 'b': the mixture learns p from the data; what that costs shrinks with their length."""
    source = random.Random(1)
    n = 60_000
    data = bytes(98 if source.random() < p else 97 for _ in range(n))
    ones = data.count(b"b") / n
    entropy = -ones * math.log2(ones) - (1 - ones) * math.log2(1 - ones)
    assert -0.001 < bits(data) / n - entropy < 0.02


def test_what_was_seen_before_costs_little() -> None:
    once = random.Random(2).randbytes(3000)
    first, twice = bits(once), bits(once + once)
    assert first > 8 * len(once)
    assert twice - first < 0.03 * first


def test_a_network_helps_and_is_one_of_many(small_models: dict[str, Model], english: bytes) -> None:
    program = store.compiled(small_models["recurrent"], 1).program
    mixed = MixtureEngine(program)
    assert bits(english, mixed) < 0.8 * bits(english)
    noise = random.Random(3).randbytes(5000)  # and does little harm where it knows nothing
    assert bits(noise, mixed) < 1.02 * 8 * len(noise) + 200


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_blocks_on_several_cores_are_the_same(english: bytes, threads: int) -> None:
    blocks = [np.frombuffer(english[i : i + 500], np.uint8) for i in range(0, len(english), 500)]
    one, several = (list(MixtureEngine(None, t).encode(blocks, quiet)) for t in (1, threads))
    assert all(np.array_equal(a.words, b.words) for a, b in zip(one, several, strict=True))
    back = MixtureEngine(None, threads).decode([(c.words, len(b)) for c, b in zip(one, blocks, strict=True)], quiet)
    assert b"".join(block.tobytes() for block in back) == english


def test_impossible_words_are_refused() -> None:
    with pytest.raises(DamagedError, match="no symbol fits"):
        list(EXPERTS.decode([(np.full(3, 0xFFFFFFFF, np.uint32), 50)], quiet))


def test_any_words_decode_to_something_or_are_refused() -> None:
    for seed in range(50):
        words = np.random.default_rng(seed).integers(0, 2**32, 20).astype(np.uint32)
        try:
            (text,) = EXPERTS.decode([(words, 300)], quiet)
        except DamagedError:
            continue
        assert len(text) == 300


def test_experts_that_compute_something_else_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing_engine, "CONFORMANCE", 1)
    mixing_engine.conforms.cache_clear()
    try:
        with pytest.raises(ModelError, match="experts"):
            mixing_engine.verified(EXPERTS)
    finally:
        mixing_engine.conforms.cache_clear()
