"""Sources against closed forms, against brute force, and against each other."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcodec import sources
from arcodec.bench import known
from arcodec.coding import CODERS
from arcodec.errors import UsageError
from arcodec.frequencies import TOTAL
from arcodec.lab.coded import allowed
from arcodec.models.file import Model
from arcodec.models.store import engine_for
from arcodec.sources import Chain, HiddenMarkov, Image, kl_rate, mean_with_interval, parse

SPECS = [kind if kind != "image" else "image:alphabet=16,width=20" for kind in sources.KINDS]


def binary_entropy(p: float) -> float:
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def test_rates_in_closed_form() -> None:
    assert parse("bernoulli:p=0.11").entropy_rate().value == pytest.approx(binary_entropy(0.11), abs=1e-12)
    assert parse("categorical:0.5,0.25,0.125,0.125").entropy_rate().value == pytest.approx(1.75, abs=1e-12)
    flip = Chain(np.array([[0.9, 0.1], [0.4, 0.6]]))  # stationary: 0.8, 0.2
    expected = 0.8 * binary_entropy(0.1) + 0.2 * binary_entropy(0.4)
    assert flip.entropy_rate().value == pytest.approx(expected, abs=1e-12)
    assert kl_rate(parse("bernoulli:p=0.5"), parse("bernoulli:p=0.25")).value == pytest.approx(
        -0.5 * math.log2(0.25) - 0.5 * math.log2(0.75) - 1
    )


def test_a_chain_with_a_period_has_a_rate() -> None:
    assert Chain(np.array([[0.0, 1.0], [1.0, 0.0]])).entropy_rate().value == 0


@pytest.mark.parametrize("spec", SPECS)
def test_samples_have_the_information_the_rate_promises(spec: str) -> None:
    source = parse(spec)
    symbols = source.sample(100_000, seed=3)
    assert symbols.dtype == np.uint8
    assert symbols.max() < source.alphabet
    measured, rate = mean_with_interval(source.information(symbols)), source.entropy_rate()
    assert abs(measured.value - rate.value) < 1.3 * (measured.interval + rate.interval)


@pytest.mark.parametrize("spec", SPECS)
def test_samples_are_the_same_for_the_same_seed_only(spec: str) -> None:
    source = parse(spec)
    assert np.array_equal(source.sample(500, 1), source.sample(500, 1))
    assert not np.array_equal(source.sample(500, 1), source.sample(500, 2))
    assert len(source.sample(0, 1)) == len(source.information(source.sample(0, 1))) == 0


@pytest.mark.parametrize(
    "spec", ["markov:order=2,alphabet=2", "hidden:states=2,alphabet=2", "image:alphabet=2,width=3"]
)
def test_probabilities_of_all_sequences_sum_to_one(spec: str) -> None:
    source, length = parse(spec), 7
    every = [np.array(x, np.uint8) for x in itertools.product(range(2), repeat=length)]
    assert sum(2 ** -source.information(x).sum() for x in every) == pytest.approx(1, abs=1e-12)


def test_forward_filtering_is_the_sum_over_all_paths() -> None:
    source = sources.random_hidden(3, 2, 0.8, seed=5)
    symbols = np.array([0, 1, 1, 0, 1], np.uint8)
    total = 0.0
    for path in itertools.product(range(3), repeat=5):
        p = source.start[path[0]] * source.emission[path[0], symbols[0]]
        for t in range(1, 5):
            p *= source.states.table[path[t - 1], path[t]] * source.emission[path[t], symbols[t]]
        total += p
    assert source.information(symbols).sum() == pytest.approx(-math.log2(total), abs=1e-9)


def test_the_rate_of_a_hidden_chain_whose_states_show() -> None:
    """If every state has its own symbol, the hidden chain is an ordinary one, whose rate is exact."""
    transition = np.array([[0.9, 0.1], [0.3, 0.7]])
    rate = HiddenMarkov(transition, np.eye(2)).entropy_rate()
    assert abs(rate.value - Chain(transition).entropy_rate().value) < 1.3 * rate.interval


def test_images_of_a_width_of_one_are_chains() -> None:
    noise = np.array([0.6, 0.3, 0.1])
    column = Image(noise, 1)
    chain = Chain(np.array([np.roll(noise, north) for north in range(3)]))
    symbols = column.sample(1000, 1)
    assert column.information(symbols) == pytest.approx(chain.information(symbols))


rows = st.lists(st.floats(0.01, 1), min_size=3, max_size=3)


@given(rows, rows)
def test_kl_is_never_negative_and_zero_only_for_the_same(p: list[float], q: list[float]) -> None:
    first, second = (Chain(np.array([x]) / sum(x)) for x in (p, q))
    assert first.kl_rate(first) == pytest.approx(0, abs=1e-12)
    assert first.kl_rate(second) >= -1e-12
    if np.abs(first.table - second.table).max() > 1e-3:
        assert first.kl_rate(second) > 0


def test_kl_between_orders_and_against_a_sample() -> None:
    source, model = parse("markov:order=2,alphabet=3"), Chain(np.full((1, 3), 1 / 3))
    exact = source.kl_rate(model)  # type: ignore[attr-defined]
    assert exact == pytest.approx(math.log2(3) - source.entropy_rate().value, abs=1e-12)
    estimate = kl_rate(parse("hidden:states=2,alphabet=3"), model, count=50_000)
    assert estimate.interval > 0
    assert estimate.value > 0
    assert kl_rate(parse("image"), parse("image:spread=3")).interval == 0
    assert kl_rate(parse("bernoulli:p=0.5"), Chain(np.array([[1.0, 0.0]]))).value == math.inf


def test_what_cannot_happen_has_infinite_information() -> None:
    assert Chain(np.array([[1.0, 0.0]])).information(np.array([0, 1], np.uint8)).tolist() == [0, math.inf]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("poisson", "no source 'poisson'"),
        ("bernoulli:q=1", "no setting 'q'"),
        ("bernoulli:p=x", "'x' is no float"),
        ("bernoulli:p=1.5", "1.5 is no probability"),
        ("markov:order=30", "at most"),
        ("markov:alphabet=1", "at most"),
        ("hidden:states=1", "2 to 256"),
        ("categorical:0.5,0.6", "sum to 1"),
        ("image:alphabet=1", "2 to 256"),
        ("image:width=0", "1 or more"),
        ("english:p=1", "it has none"),
        ("markov:concentration=0", "above 0"),
        ("image:spread=0", "above 0"),
        ("hidden:states=1000", "2 to 256"),
        ("bursty:stay=1.5", "1.5 is no probability"),
        ("hidden:stay=2", "2 is no probability"),
    ],
)
def test_bad_specifications(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(spec)


def test_tables_that_are_none() -> None:
    with pytest.raises(UsageError, match="shape"):
        Chain(np.full((3, 2), 0.5))
    with pytest.raises(UsageError, match="each of its states"):
        HiddenMarkov(np.eye(2), np.ones((3, 1)))
    with pytest.raises(UsageError, match="cannot be compared"):
        kl_rate(parse("english"), parse("bernoulli"))


def test_pictures_of_other_widths_are_sampled() -> None:
    rate = sources.kl_rate(sources.parse("image:alphabet=4"), sources.parse("image:alphabet=4,width=3"), 100_000)
    assert rate.interval > 0
    assert rate.value > 0.1


@pytest.mark.parametrize("spec", ["hidden:alphabet=1000", "image:alphabet=2000000000", "markov:seed=-1"])
def test_settings_out_of_range_are_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        sources.parse(spec)


def test_a_model_of_fewer_symbols_is_refused() -> None:
    with pytest.raises(UsageError, match="symbols"):
        sources.kl_rate(sources.parse("hidden"), sources.parse("bernoulli:p=0.1"))


def test_every_source_and_coder_pays_the_divergence() -> None:
    rows = list(known.rows(100_000))
    assert len({row.source for row in rows}) == 8
    assert {row.coder for row in rows} == {"range", "ans", "bits"}
    assert [row for row in rows if not row.holds] == []


def test_a_network_pays_its_divergence_with_both_coders(small_model: Model) -> None:
    source, engine = parse("english"), engine_for(small_model)
    rates = []
    for seed in (1, 2):
        symbols = source.sample(20_000, seed)
        frequencies = engine.frequencies(symbols)
        costs = -np.log2(frequencies[np.arange(len(symbols)), symbols] / TOTAL)
        information = source.information(symbols)
        rates.append(mean_with_interval(costs - information))
        for coder in CODERS.values():
            bits = 32 * len(coder.encode(symbols, frequencies))
            assert 0 <= bits - costs.sum() <= allowed(costs.sum())
            excess = (bits - information.sum()) / len(symbols)
            assert abs(excess - rates[0].value) <= math.hypot(rates[0].interval, rates[-1].interval) + 64 / 20_000
    assert rates[0].value > rates[0].interval  # it never saw the source


def test_intervals_know_of_dependence_and_of_short_samples() -> None:
    independent = np.random.default_rng(1).normal(size=10_000)
    held = np.repeat(np.random.default_rng(2).normal(size=200), 50)  # each value fifty times
    assert mean_with_interval(independent).interval == pytest.approx(0.0258, rel=0.25)
    assert mean_with_interval(held).interval == pytest.approx(2.576 / 200**0.5, rel=0.35)
    held = np.repeat(np.random.default_rng(2).normal(size=40), 250)  # longer than a batch
    assert mean_with_interval(held).interval > 0.7 * 2.576 / 40**0.5
    few = mean_with_interval(independent[:50])
    assert few.interval == pytest.approx(2.576 / 50**0.5, rel=0.5)
    assert mean_with_interval(independent[:1]).interval == math.inf


def test_hidden_states_begin_where_they_are_in_the_long_run() -> None:
    source = parse("bursty:stay=0.999999,quiet=0,busy=1")
    first = [int(source.sample(1, seed)[0]) for seed in range(400)]
    assert 0.4 < np.mean(first) < 0.6
    for spec in ("bursty:stay=0.999999", "bursty:stay=1"):
        with pytest.raises(UsageError, match="too rarely"):
            parse(spec).entropy_rate()
    assert parse("bursty:stay=0.999").entropy_rate().interval > 0.001


def test_intervals_cover_as_often_as_they_say() -> None:
    source, hits = parse("bursty"), 0
    truth = source.entropy_rate().value
    for seed in range(60):
        rate = mean_with_interval(source.information(source.sample(10_000, seed)))
        hits += abs(rate.value - truth) <= rate.interval
    assert hits >= 56


def test_a_source_that_alternates_has_a_rate() -> None:
    rate = parse("bursty:stay=0,quiet=0.1,busy=0.5").entropy_rate()
    assert rate.value == pytest.approx((binary_entropy(0.1) + 1) / 2, abs=0.01)
