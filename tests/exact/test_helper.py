"""With a helper, without one, or with one that lies: the same symbols."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from arcodec.errors import DamagedError
from arcodec.exact import helper
from arcodec.exact import program as p
from arcodec.exact.dot import ROWS, matrix_vector
from arcodec.exact.program import Program, State, compile_network, fresh_state
from arcodec.mixing.engine import MixtureEngine
from arcodec.mixing.team import DEFAULT, LEARNING
from arcodec.mixing.trial import small_program, tensors_of_noise
from arcodec.models import loops, recurrent
from arcodec.models.compiled import CompiledEngine
from arcodec.models.file import Model

WAIT = 60.0  # seconds: the first time, it is compiled


def quiet(done: int) -> None: ...


@pytest.fixture
def program(small_model: Model) -> Program:
    return compile_network(small_model.network, small_model.tensors)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks are helped, too."""
    monkeypatch.setattr(helper, "_LEAST", 0)


def wide_program() -> Program:
    """Wide enough for both to have something to do."""
    network = recurrent.network(
        recurrent.Config(width=256, blocks=2, contexts=2, rows_log2=6, row_width=8, followers=0)
    )
    return compile_network(network, tensors_of_noise(network.tensors()))


def distributions(program: Program, state: State, symbols: np.ndarray) -> np.ndarray:
    frequencies = np.empty((len(symbols), 256), np.int64)
    loops.fill_distributions(program, state, symbols, frequencies)
    return frequencies


def post(state: State, number: int, layer: int) -> None:
    state.board[helper._JOB] = number << helper._SHIFT | layer


def wait_for(state: State, number: int, outputs: int) -> None:
    """Until the helper has so many outputs of a product."""
    until = time.monotonic() + WAIT
    while state.board[helper._FAR] != number << helper._SHIFT | outputs:
        assert time.monotonic() < until, "the helper does not help"
        time.sleep(0.001)


def test_the_same_with_a_helper_and_with_one_that_never_comes(program: Program, symbols: np.ndarray) -> None:
    alone = distributions(program, fresh_state(program), symbols)
    absent = distributions(program, fresh_state(program, helped=True), symbols)
    assert np.array_equal(alone, absent)
    state = fresh_state(program, helped=True)
    with helper.helped(program, state):
        assert np.array_equal(alone, distributions(program, state, symbols))


def test_a_helper_computes_every_product(program: Program) -> None:
    state = fresh_state(program, helped=True)
    state.codes_now[:] = np.random.default_rng(1).integers(-127, 128, len(state.codes_now))
    linear = np.flatnonzero(program.layers[:, p.KIND] == p.LINEAR)
    with helper.helped(program, state):
        for number, place in enumerate(linear.tolist(), 1):
            inputs, outputs, at = program.layers[place, [p.INPUTS, p.OUTPUTS, p.WEIGHTS]]
            expected = np.empty(outputs, np.float32)
            weights, codes = program.weights[at : at + inputs * outputs], state.codes_now[:inputs]
            matrix_vector(weights, codes, np.zeros(ROWS, np.int32), expected)
            post(state, number, place)
            wait_for(state, number, outputs)
            assert np.array_equal(state.answers[:outputs], expected)


@pytest.mark.parametrize(("number", "believed"), [(6, 16), (6, 0), (0, 16), (5, 16), (7, 16), (1 << 30, 16)])
def test_what_a_helper_says_is_believed_of_the_product_at_hand_only(number: int, believed: int) -> None:
    inputs, outputs, said = 512, 64, 16
    state = fresh_state(wide_program(), helped=True)
    draw = np.random.default_rng(2).integers
    weights = draw(-63, 64, outputs * inputs).astype(np.int8)
    codes = draw(-127, 128, inputs).astype(np.int16)
    expected, out = np.empty(outputs, np.float32), np.empty(outputs, np.float32)
    matrix_vector(weights, codes, np.zeros(ROWS, np.int32), expected)
    state.answers[:] = 0.5
    state.board[helper._COUNT] = 5  # so many products are over
    state.board[helper._FAR] = number << helper._SHIFT | (believed and said)
    helper.share(state, 0, weights, codes, out)
    if number == 6:
        expected[outputs - believed :] = 0.5
    assert np.array_equal(out, expected)


def test_a_network_that_two_compute(symbols: np.ndarray) -> None:
    program = wide_program()
    alone = distributions(program, fresh_state(program), symbols)
    until, helped = time.monotonic() + WAIT, False
    while not helped:  # at first it may not be compiled yet, and later both may lack a core
        assert time.monotonic() < until, "the helper does not help"
        state = fresh_state(program, helped=True)
        with helper.helped(program, state):
            assert np.array_equal(alone, distributions(program, state, symbols))
        helped = state.board[helper._FAR] > 0


@pytest.mark.parametrize("engine", ["alone", "in the mixture", "beside one that learns"])
def test_engines_with_and_without_write_the_same(
    program: Program, symbols: np.ndarray, always: None, engine: str
) -> None:
    blocks = [symbols[:100], symbols[:57]]
    words = []
    for helped in (False, True):
        at_work: list[int] = []
        using = {
            "alone": CompiledEngine(program, 2, helped),
            "in the mixture": MixtureEngine(program, DEFAULT, 2, helped=helped),
            "beside one that learns": MixtureEngine(small_program(), LEARNING, 2, program, helped),
        }[engine]
        coded = list(using.encode(blocks, lambda done, at_work=at_work: at_work.append(helpers())))
        words.append([one.words.tobytes() for one in coded])
        back = using.decode(
            [(one.words, len(block)) for one, block in zip(coded, blocks, strict=True)],
            lambda done, at_work=at_work: at_work.append(helpers()),
        )
        assert all(np.array_equal(a, b) for a, b in zip(back, blocks, strict=True))
        assert len(at_work) == 2 * len(blocks)
        assert all(1 <= count <= 2 for count in at_work) if helped else not any(at_work)
    assert words[0] == words[1]
    assert helpers() == 0


def test_a_system_without_another_thread_to_give(
    program: Program, symbols: np.ndarray, always: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    (expected,) = CompiledEngine(program).encode([symbols], quiet)
    monkeypatch.setattr(threading.Thread, "start", refused)
    (coded,) = CompiledEngine(program, helped=True).encode([symbols], quiet)
    assert np.array_equal(coded.words, expected.words)


def test_a_helper_goes_when_coding_fails(program: Program, symbols: np.ndarray, always: None) -> None:
    engine = CompiledEngine(program, helped=True)

    def interrupted(done: int) -> None:
        assert helpers() == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(engine.encode([symbols], interrupted))
    assert helpers() == 0
    with pytest.raises(DamagedError):
        list(engine.decode([(np.full(2, 0xFFFFFFFF, np.uint32), 50)], quiet))
    assert helpers() == 0


def helpers() -> int:
    """How many are at work."""
    return sum(getattr(thread, "_target", None) is helper.assist for thread in threading.enumerate())
