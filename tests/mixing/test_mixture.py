"""Experts and mixer: tables, learning, agreement of encoder and decoder, rates against known entropies."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from arcodec.errors import DamagedError, ModelError
from arcodec.mixing import engine as mixing_engine
from arcodec.mixing import history, logistic, vectors
from arcodec.mixing.engine import MixtureEngine
from arcodec.mixing.mixture import fresh_mixture
from arcodec.mixing.team import BEST, DEFAULT, FAST, LEARNING, TEAMS
from arcodec.mixing.trial import small_program
from arcodec.models import store
from arcodec.models.file import Model
from arcodec.texts import manual

EXPERTS = MixtureEngine(None)
TEAM_ENGINES = [MixtureEngine(small_program() if team.learns else None, team) for team in TEAMS.values()]


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


@settings(max_examples=40)
@given(st.binary(max_size=400), st.sampled_from(TEAM_ENGINES))
def test_round_trip_of_any_bytes(data: bytes, engine: MixtureEngine) -> None:
    bits(data, engine)


def test_states_remember_what_came() -> None:
    assert history.STATES == len(history.RATES) == len(history.FIRST) == len(history.SEEN) == len(history.NEXT) // 2
    assert history.NEXT.max() < history.STATES
    source = random.Random(4)
    for p in (0.02, 0.3, 0.9):
        state = ones = 0
        for count in range(200):
            if count < 6:  # as they came: the count and the mean are exact
                assert history.SEEN[state] == count
                assert abs(history.FIRST[state] / 2**22 - (ones + 0.4) / (count + 0.8)) < 1e-6
            bit = source.random() < p
            ones += bit
            state = history.NEXT[2 * state + bit]
        assert abs(history.FIRST[state] / 2**22 - p) < 0.25


def test_sums_of_products_are_in_one_order() -> None:
    """Against sixteen lanes in numpy, one IEEE operation at a time."""
    random_values = np.random.default_rng(5)
    reals = random_values.normal(size=160).astype(np.float32)
    first, second = reals[16:64].reshape(3, 16), reals[64:112].reshape(3, 16)
    lanes = np.zeros(16, np.float32)
    for left, right in zip(first, second, strict=True):
        lanes = lanes + left * right
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    expected = reals.copy()
    expected[16:64] = reals[16:64] + np.float32(0.3) * reals[64:112]
    assert _dot(reals, 16, 64, 48) == lanes[0]
    _add_scaled(reals, 16, 64, 48, np.float32(0.3))
    assert np.array_equal(reals, expected)


@njit
def _dot(reals, first, second, count):  # type: ignore[no-untyped-def]
    return vectors.dot(reals, first, second, count)


@njit
def _add_scaled(reals, to, source, count, scale):  # type: ignore[no-untyped-def]
    vectors.add_scaled(reals, to, source, count, scale)


def test_record_lengths_are_found() -> None:
    rows = [bytes([7, i % 256, 200, 13 * i % 256, 0, i % 3, 91]) for i in range(400)]
    table = b"".join(row + random.Random(i).randbytes(4) for i, row in enumerate(rows))
    with_records, without = bits(table), bits(table, MixtureEngine(None, FAST))
    assert with_records < 0.93 * without


def test_roots_learn_sooner() -> None:
    """What one vector has learnt from all bits need not be learnt again by each that is chosen now and then."""
    text = manual()[:4000]
    for team in (DEFAULT, BEST):
        unrooted = MixtureEngine(None, replace(team, rooted=False))
        assert bits(text, MixtureEngine(None, team)) < 0.992 * bits(text, unrooted)


def test_memory_is_what_the_team_says() -> None:
    for team in TEAMS.values():
        for length in (10, 5000, 300_000):
            used = sum(array.nbytes for array in fresh_mixture(length, team, True))
            assert used <= team.memory(length) < 1.5 * used + 2**22 + 8 * length


def test_indices_stay_inside_the_arrays() -> None:
    """The kernels run without bounds checks; here they are compiled with them."""
    program = (
        "import random; from arcodec.mixing.engine import MixtureEngine; "
        "from arcodec.mixing.team import TEAMS; from arcodec.mixing.trial import small_program;"
        "import numpy as np; data = np.frombuffer(bytes(300) + random.Random(0).randbytes(300) + b'a b' * 99, 'u1');"
        "[list(MixtureEngine(small_program() if team.learns else None, team).encode([data], print)) "
        "for team in TEAMS.values()];"
        "from arcodec.mixing.pixels.engine import conforms; from arcodec.mixing.pixels.team import LEARNING;"
        "assert conforms(LEARNING)"
    )
    checked = dict(os.environ, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=tempfile.mkdtemp())
    subprocess.run([sys.executable, "-c", program], env=checked, check=True, stdout=subprocess.DEVNULL)


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
    program = store.program(small_models["recurrent"])
    mixed = MixtureEngine(program)
    assert bits(english, mixed) < 0.8 * bits(english)
    noise = random.Random(3).randbytes(5000)  # and does little harm where it knows nothing
    assert bits(noise, mixed) < 1.02 * 8 * len(noise) + 200


def test_a_network_that_learns_makes_it_smaller(small_models: dict[str, Model]) -> None:
    program, text = store.program(small_models["recurrent"]), manual()[:40_000]
    assert bits(text, MixtureEngine(program, LEARNING)) < 0.999 * bits(text, MixtureEngine(program, BEST))


def test_what_was_learnt_in_training_is_not_lost(small_models: dict[str, Model], english: bytes) -> None:
    """On the very text it was trained on, a network can only get worse: the mixer goes by what it was."""
    program = store.program(small_models["recurrent"])
    assert bits(english, MixtureEngine(program, LEARNING)) < 1.01 * bits(english, MixtureEngine(program, BEST))


def test_beside_a_network_that_learns_there_may_be_another(small_models: dict[str, Model], english: bytes) -> None:
    program, other = (store.program(small_models[family]) for family in ("recurrent", "attention"))
    block = np.frombuffer(english, np.uint8)[:700]
    words = []
    for beside in (None, program, other):
        engine = MixtureEngine(program, LEARNING, beside=beside)
        (coded,) = engine.encode([block], quiet)
        words.append(coded.words)
        assert np.array_equal(next(engine.decode([(coded.words, len(block))], quiet)), block)
    assert np.array_equal(words[0], words[1])
    assert not np.array_equal(words[0], words[2])
    plain, unused = (MixtureEngine(program, BEST, beside=beside) for beside in (None, other))
    assert [bits(english, engine) for engine in (plain, unused)] == [bits(english, plain)] * 2


def test_each_block_learns_for_itself(english: bytes) -> None:
    block = np.frombuffer(english, np.uint8)[:700]
    for threads in (1, 2):
        engine = MixtureEngine(small_program(), LEARNING, threads)
        one, other, third = engine.encode([block, block[:300], block], quiet)
        assert np.array_equal(one.words, third.words)
        assert not np.array_equal(one.words, other.words)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_blocks_on_several_cores_are_the_same(english: bytes, threads: int) -> None:
    blocks = [np.frombuffer(english[i : i + 500], np.uint8) for i in range(0, len(english), 500)]
    engines = [MixtureEngine(None, threads=t) for t in (1, threads)]
    one, several = (list(engine.encode(blocks, quiet)) for engine in engines)
    assert all(np.array_equal(a.words, b.words) for a, b in zip(one, several, strict=True))
    back = engines[1].decode([(c.words, len(b)) for c, b in zip(one, blocks, strict=True)], quiet)
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


def test_every_team_conforms() -> None:
    assert {team.name: mixing_engine.conformance_of(team) for team in TEAMS.values()} == mixing_engine.CONFORMANCE


def test_experts_that_compute_something_else_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing_engine, "CONFORMANCE", {"default": 1})
    mixing_engine.conforms.cache_clear()
    try:
        with pytest.raises(ModelError, match="experts"):
            mixing_engine.verified(EXPERTS)
    finally:
        mixing_engine.conforms.cache_clear()
