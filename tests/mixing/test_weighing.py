"""The mixer's vectors: what is chosen, what a root hands on, what a step of descent does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from arcodec.mixing import weighing as w

INPUTS, SITUATIONS, VECTORS, ROOT = 16, 3, 6, 4  # two sets of two vectors, and two roots


class Mixer:
    """Two sets, the second chosen in by its user, at numbers[5]; the first always has vector 0."""

    def __init__(self, rooted: bool) -> None:
        self.numbers = np.zeros(5 + w.CHOICE, np.int64)
        w.begin(self.numbers, 5, 2, SITUATIONS, ROOT if rooted else None)
        self.reals = np.zeros(INPUTS + w.SAYINGS + VECTORS * INPUTS, np.float32)
        self.finals = w.fresh_finals(SITUATIONS, int(self.numbers[5 + w.SETS]), VECTORS)
        self.reals[:2] = 1, -0.5

    def vector(self, number: int) -> np.ndarray:
        return self.reals[INPUTS + w.SAYINGS :].reshape(VECTORS, INPUTS)[number]

    def says(self, chosen: int, situation: int = 0) -> float:
        self.numbers[5 + w.CHOSEN : 5 + w.CHOSEN + 2] = 0, chosen
        return float(w.weigh(self.numbers, 5, self.reals, self.finals, INPUTS, situation))

    def learn(self, bit: int, situation: int = 0) -> None:
        w.learn(self.numbers, 5, self.reals, self.finals, INPUTS, situation, bit)


def test_a_step_goes_down_the_gradient() -> None:
    mixer = Mixer(rooted=False)
    assert mixer.says(2) == 0
    mixer.learn(1)
    step = (0.002 + 0.02) / 2  # the rate at first, and what was wrong about a probability of a half
    assert mixer.vector(2)[:2] == pytest.approx([step, -step / 2])
    assert not mixer.vector(3).any()
    assert 0 < mixer.says(2) == pytest.approx(1.25 * step)
    assert mixer.numbers[5 + w.MIXED] == pytest.approx(2**24 / (1 + math.exp(-1.25 * step)), abs=2**16)


def test_a_vector_begins_as_the_slow_root() -> None:
    mixer = Mixer(rooted=True)
    for _ in range(100):
        mixer.says(2)
        mixer.learn(1)
    before = mixer.vector(ROOT).copy()
    assert 0 < before[0] < mixer.vector(2)[0] < mixer.vector(ROOT + 1)[0]  # slow, neither, fast
    asked = mixer.says(3)
    state = [array.copy() for array in (mixer.reals, mixer.finals)]
    assert not mixer.vector(3).any()  # asking alone changes nothing
    mixer.vector(3)[:] = before
    assert mixer.says(3) == asked
    mixer.reals[:], mixer.finals[:] = state
    mixer.says(3)
    mixer.learn(1)
    assert mixer.vector(3)[0] > before[0]
    assert mixer.vector(3)[0] == pytest.approx(before[0], rel=0.1)


def test_a_root_that_has_learnt_nothing_hands_nothing_on() -> None:
    mixer = Mixer(rooted=True)
    mixer.vector(3)[:2] = 0.5, 0
    for _ in range(64):
        mixer.says(2)
        mixer.learn(0)
    mixer.says(3)
    mixer.learn(0)
    assert mixer.vector(3)[0] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("rooted", [False, True])
def test_the_last_weights_have_a_part_that_all_situations_share(rooted: bool) -> None:
    mixer = Mixer(rooted)
    mixer.vector(0)[:2] = 2, 0  # the first set says 2 nats, the others nothing
    fresh = mixer.finals[: w.MOST_SETS * (1 + SITUATIONS)].reshape(-1, w.MOST_SETS).copy()
    sets = int(mixer.numbers[5 + w.SETS])
    assert mixer.says(2) == pytest.approx(2 / sets)
    mixer.learn(1)
    changed = mixer.finals[: fresh.size].reshape(fresh.shape) - fresh
    wrong = 1 - 1 / (1 + math.exp(-2 / sets))
    step = (0.0005 if rooted else 0.0015) * 2 * wrong
    assert changed[1, 0] == pytest.approx(step, rel=1e-2)
    assert changed[0, 0] == (pytest.approx(step, rel=1e-2) if rooted else 0)
    changed[:2, 0] = 0
    assert not changed.any()


def test_no_more_sets_than_there_is_room_for() -> None:
    with pytest.raises(AssertionError):
        w.begin(np.zeros(w.CHOICE, np.int64), 0, w.MOST_SETS - 1, SITUATIONS, ROOT)


def test_what_inputs_added_adds_up() -> None:
    mixer = Mixer(rooted=True)
    for chosen in (2, 3, 2, 2):
        mixer.says(chosen, situation=1)
        mixer.learn(chosen & 1, situation=1)
    final = mixer.says(3, situation=1)
    parts = [
        w.added(mixer.numbers, 5, mixer.reals, mixer.finals, INPUTS, 1, first, count)
        for first, count in ((0, 1), (1, 1), (2, 14))
    ]
    assert sum(parts) == pytest.approx(final, rel=1e-5)
    assert parts[2] == 0
