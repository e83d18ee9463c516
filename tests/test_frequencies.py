from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from arcodec.frequencies import TOTAL, coded_bits, from_weights, model_bits, rounding_kl_bits

WEIGHTS = hnp.arrays(np.int64, st.tuples(st.integers(1, 5), st.integers(2, 256)), elements=st.integers(1, 2**24))


@given(WEIGHTS)
def test_frequencies_are_positive_and_sum_to_the_total(weights: np.ndarray) -> None:
    frequencies = from_weights(weights)
    assert (frequencies >= 1).all()
    assert (frequencies.sum(1) == TOTAL).all()


@given(WEIGHTS)
def test_rounding_costs_next_to_nothing(weights: np.ndarray) -> None:
    kl = rounding_kl_bits(weights, from_weights(weights))
    assert (kl >= -1e-12).all()
    assert (kl < 5e-5).all()


def test_extremes() -> None:
    weights = np.ones((3, 256), np.int64)
    weights[1, 17] = 2**24
    weights[2] = 2**24
    frequencies = from_weights(weights)
    assert frequencies[0, 1] == TOTAL // 256
    assert frequencies[1, 17] > TOTAL - 1000
    assert (frequencies[2] == TOTAL // 256).all()


def test_exact_values() -> None:
    # factor = (2**24 - 2) / 3; floors 5592404 and 11184809, each plus 1, and the 2 that are left to the heavier
    assert from_weights(np.array([[1, 2]]))[0].tolist() == [5592405, 11184811]


def test_bits_of_each_symbol() -> None:
    weights = np.array([[1, 3], [1, 1]])
    assert model_bits(weights, np.array([0, 1])).tolist() == [2.0, 1.0]
    frequencies = np.array([[TOTAL // 4, 3 * TOTAL // 4], [TOTAL // 2, TOTAL // 2]])
    assert coded_bits(frequencies, np.array([0, 1])).tolist() == [2.0, 1.0]
