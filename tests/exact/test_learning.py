"""Networks that learn while they code: forwards unchanged, gradients those of training, sums in the written order."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from numba import njit

from arcodec.errors import ModelError
from arcodec.exact import descent, kernels, learning, stack
from arcodec.exact.contexts import remember, rows_of
from arcodec.exact.learner import BYTES_CHUNK, Learner
from arcodec.exact.memory import fresh_memory
from arcodec.exact.program import LINEAR, Program, State, compile_network, empty_program, fresh_state
from arcodec.exact.spec import Network
from arcodec.exact.tables import SIGMOID_STEP
from arcodec.exact.torch_networks import TorchNetwork
from arcodec.models import store
from arcodec.models.file import Model, load
from arcodec.models.registry import FAMILIES, Design
from tests.conftest import GOLDEN
from tests.exact.extremes import check_numbers, layers_with_gradients, scales_of_all_sizes


@pytest.fixture
def model(small_models: dict[str, Model]) -> Model:
    return small_models["recurrent"]


@pytest.fixture
def program(model: Model) -> Program:
    return compile_network(model.network, model.tensors)


@njit
def _static(program: Program, state: State, symbols: np.ndarray, out: np.ndarray) -> None:
    for t in range(len(symbols)):
        kernels.weights(program, state, out[t])
        remember(state.memory, symbols[t])


@njit
def _learn(program: Program, state: State, learner: Learner, symbols: np.ndarray, out: np.ndarray) -> None:
    for t in range(len(symbols)):
        learning.weights(program, state, learner, out[t])
        learning.follow(program, state, learner, out[t], np.int64(symbols[t]))


def run(program: Program, symbols: np.ndarray, learns: bool) -> tuple[np.ndarray, Program, Learner]:
    """The weights before each symbol (n, 256), and what is left at the end."""
    own, state, learner = learning.begin(program, learns)
    out = np.zeros((len(symbols), 256), np.int64)
    _learn(own, state, learner, symbols, out)
    return out, own, learner


def bits(weights: np.ndarray, symbols: np.ndarray) -> float:
    return float(np.log2(weights.sum(1) / weights[np.arange(len(symbols)), symbols]).sum())


def test_nothing_changes_before_the_first_step(program: Program, symbols: np.ndarray) -> None:
    expected = np.zeros((len(symbols), 256), np.int64)
    _static(program, fresh_state(program), symbols, expected)
    assert np.array_equal(run(program, symbols, False)[0], expected)
    learnt, own, _ = run(program, symbols, True)
    assert np.array_equal(learnt[:BYTES_CHUNK], expected[:BYTES_CHUNK])
    assert not np.array_equal(learnt[BYTES_CHUNK:], expected[BYTES_CHUNK:])
    assert not np.array_equal(own.weights, program.weights)


def test_a_program_is_not_changed_by_who_learns_from_it(program: Program, symbols: np.ndarray) -> None:
    weights, constants = program.weights.copy(), program.constants.copy()
    first, second = run(program, symbols, True)[0], run(program, symbols, True)[0]
    assert np.array_equal(first, second)
    assert np.array_equal(program.weights, weights)
    assert np.array_equal(program.constants, constants)


def test_what_comes_again_costs_less(program: Program) -> None:
    random = np.random.default_rng(1)
    words = [bytes(random.integers(97, 123, 5).astype(np.uint8)) for _ in range(8)]
    text = np.frombuffer(b" ".join(words[i] for i in random.integers(0, 8, 2000)), np.uint8)
    static, learnt = (bits(run(program, text, learns)[0], text) for learns in (False, True))
    assert learnt < 0.7 * static


def _gradients(
    spec: Network, tensors: dict[str, np.ndarray], symbols: np.ndarray, first: int = 0
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """By torch, of the cost in nats of symbols from the first on, for the weights and biases of each linear layer.

    What happened before the first of them is remembered, but no gradient goes back to it.
    """
    network = TorchNetwork(spec)
    network.adopt(tensors)
    embed = network.spec.embed
    rows = torch.from_numpy(rows_of(symbols, fresh_memory(embed.followers), embed.rows_log2, embed.contexts))[:, None]
    target = torch.from_numpy(symbols.astype(np.int64))
    last = torch.cat((torch.zeros_like(target[:1]), target[:-1]))[:, None]
    _, memory = network(last[:first], rows[:first], network.memory(1)) if first else (None, network.memory(1))
    memory = [None if state is None else state.detach() for state in memory]
    logits, _ = network(last[first:], rows[first:], memory)
    torch.nn.functional.cross_entropy(logits[:, 0] * math.log(2), target[first:], reduction="sum").backward()
    by_kind: dict[str, list[np.ndarray]] = {"weight": [], "bias": []}
    for name, parameter in network.named_parameters():
        kind = name.rpartition("projection.")[2]
        if kind in by_kind and parameter.grad is not None:
            by_kind[kind].append(parameter.grad.numpy())
    return by_kind["weight"], by_kind["bias"]


def _odd(**sizes: int) -> tuple[Network, dict[str, np.ndarray]]:
    """A network of sizes that no vector fits, with random weights."""
    design = Design.of("recurrent", **sizes)
    torch.manual_seed(1)
    network = TorchNetwork(design.network())
    with torch.no_grad():
        network.embed.table.normal_(0, 0.1)
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return design.network(), network.export()


@pytest.mark.parametrize("first", [0, BYTES_CHUNK])
@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"width": 33, "blocks": 2, "rows_log2": 4, "row_width": 6, "contexts": 1},
        {"width": 9, "blocks": 0, "rows_log2": 3, "row_width": 2, "contexts": 2},
    ],
)
def test_gradients_are_those_of_training(model: Model, english: bytes, sizes: dict[str, int], first: int) -> None:
    """Of the first symbols, and of some to which the network comes with a memory."""
    symbols = np.frombuffer(english, np.uint8)[: first + BYTES_CHUNK]
    spec, tensors = _odd(**sizes) if sizes else (model.network, model.tensors)
    program = compile_network(spec, tensors)
    expected, biases = _gradients(spec, tensors, symbols, first)
    own, state, learner = learning.begin(program, True)
    before = learner.weights.copy()
    _static(own, state, symbols[:first], np.zeros((first, 256), np.int64))
    learner.first[:] = state.reals
    _learn(own, state, learner, symbols[first:], np.zeros((BYTES_CHUNK, 256), np.int64))
    linear, steps = program.layers[program.layers[:, 0] == LINEAR], learner.steps[program.layers[:, 0] == LINEAR]
    for row, step, gradient in zip(linear, steps, expected, strict=True):
        outputs, inputs = gradient.shape
        part = slice(row[3], row[3] + row[1] * row[2])
        # One step's mean square is a thousandth of the gradient's; the step leads against its sign.
        size = np.sqrt(learner.weight_squares[part] / 0.001)
        found = (np.sign(before[part] - learner.weights[part]) * size).reshape(row[2], row[1])[:outputs, :inputs]
        assert _likeness(found, gradient) > 0.9999
        assert np.linalg.norm(found) == pytest.approx(2**16 * np.linalg.norm(gradient) / step, rel=0.01)
        # The first step is the whole rate for each weight, whatever its gradient.
        assert np.abs(before[part] - learner.weights[part]).max() == pytest.approx(4e-4, rel=0.01)
        at = slice(row[4] + row[2], row[4] + row[2] + outputs)
        found = np.sign(program.constants[at] - own.constants[at]) * np.sqrt(learner.bias_squares[at] / 0.001)
        assert _likeness(found, biases.pop(0)) > 0.9999


def _likeness(found: np.ndarray, expected: np.ndarray) -> float:
    """The cosine between two gradients."""
    return float((found * expected).sum() / np.linalg.norm(found) / np.linalg.norm(expected))


def test_a_program_that_cannot_learn_is_refused(small_models: dict[str, Model]) -> None:
    for family in ("attention", "convolution"):
        other = compile_network(small_models[family].network, small_models[family].tensors)
        learning.begin(other, False)
        with pytest.raises(ModelError, match="cannot learn"):
            learning.begin(other, True)


def _still(x: np.ndarray) -> np.ndarray:
    """As ``descent.still``, but for numpy: each operation rounds once."""
    raised = np.clip(x, np.float32(-(2.0**30)), np.float32(2.0**30)) + np.float32(3072)
    return raised - np.float32(3072)


@pytest.mark.parametrize("sizes", [(-3, 6), (-3, -2)])
def test_sums_are_in_the_written_order(sizes: tuple[int, int]) -> None:
    """Against numpy, one IEEE operation at a time: numbers of very different sizes, and of about the least."""
    random, shape = np.random.default_rng(6), (BYTES_CHUNK, 8)
    gradient = (random.normal(size=shape) * 10.0 ** random.integers(*sizes, shape)).astype(np.float32)
    codes = random.integers(-127, 128, (BYTES_CHUNK, 32)).astype(np.float32)
    rows, expected = np.ones((4, 32), np.float32), np.zeros((4, 32), np.float32)
    biases, biases_expected = np.ones(4, np.float32), np.zeros(4, np.float32)
    for n in range(BYTES_CHUNK):
        expected = expected + gradient[n, 4:, None] * codes[n]
        biases_expected = biases_expected + gradient[n, 4:]
    descent._weights_back(gradient, 4, codes, 32, rows, biases)
    assert np.array_equal(rows, expected)
    assert np.array_equal(biases, biases_expected)

    matrix = random.integers(-63, 64, (8, 32)).astype(np.int8)
    scale = random.random(8).astype(np.float32)
    of_codes, expected = np.ones((4, 32), np.float32), np.zeros((4, 32), np.float32)
    for o in range(8):
        expected = expected + _still(gradient[:4, o] * scale[o])[:, None] * matrix[o].astype(np.float32)
    descent._codes_back(matrix.ravel(), scale, gradient[:4], 32, of_codes)
    assert np.array_equal(of_codes, expected)


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e9])
def test_back_through_a_recurrence(size: float) -> None:
    """Against numpy, one IEEE operation at a time; gates and inputs beyond their limits, too."""
    random, one, width = np.random.default_rng(8), np.float32(1), 400
    table = np.linspace(0.001, 0.999, 255).astype(np.float32)
    x = (random.normal(size=3 * width) * 20).astype(np.float32)
    h, earlier = (random.normal(size=(2, width)) * 2).astype(np.float32)
    of_codes, carry = (random.normal(size=(2, width)) * size).astype(np.float32)
    codes = np.rint(x * np.float32(1 / SIGMOID_STEP)).clip(-127, 127).astype(int) + 127
    f, g, raw = table[codes[:width]], table[codes[2 * width :]], x[width : 2 * width]
    inside = np.abs(x * np.float32(1 / SIGMOID_STEP)) < 127.5
    z = raw.clip(np.float32(-32), np.float32(32))
    out = h * g
    of_out = np.where(np.abs(out * np.float32(64)) < 127.5, _still(of_codes * np.float32(64)), 0).astype(np.float32)
    of_state = _still(carry + of_out * g)
    expected = np.concatenate(
        (
            np.where(inside[:width], _still(of_state * ((earlier - z) * (f * (one - f)))), 0),
            np.where(z == raw, _still(of_state * (one - f)), 0),
            np.where(inside[2 * width :], _still(of_out * (out * (one - g))), 0),
        )
    )
    assert 0 < (z == raw).mean() < 1
    assert 0 < inside[:width].mean() < 1
    of_x, passed_on = np.ones(3 * width, np.float32), carry.copy()
    descent._recurrence_back(x, h, earlier, table, of_codes, passed_on, of_x)
    assert np.array_equal(of_x, expected)
    assert np.array_equal(passed_on, _still(of_state * f))


def test_back_through_a_squared_relu() -> None:
    """At the limit, a square of 15.8, only what leads inwards."""
    x = np.array([-1, 0, 0.5, 2, 3.97, 3.98, 100, 100], np.float32)
    of_codes = np.array([3, 3, 3, -3, -3, -3, -3, 3], np.float32)
    of_x = np.ones(8, np.float32)
    descent._squared_relu_back(x, of_codes, of_x)
    assert np.array_equal(of_x, _still(np.array([0, 0, 24, -96, -3 * np.float32(3.97) * 16, 0, 0, 4800], np.float32)))


def test_weights_of_nothing_have_a_scale() -> None:
    codes, peaks = np.ones(32, np.int8), np.zeros(16, np.float32)
    assert descent._round_row(np.zeros(32, np.float32), peaks, codes) == np.float32(1e-6) / np.float32(63)
    assert not codes.any()
    weights = np.linspace(-0.5, 0.25, 32, dtype=np.float32)
    scale = descent._round_row(weights, peaks, codes)
    assert (codes.min(), codes.max()) == (-63, 32)
    assert np.abs(codes * scale - weights).max() <= scale / 2 * 1.001


def test_a_step_is_the_rate_over_the_root_of_what_gradients_were(model: Model, english: bytes) -> None:
    """The mean square fades, begins at nothing and is made up for that; weights go down their gradients by it."""
    symbols = np.frombuffer(english, np.uint8)[: 3 * BYTES_CHUNK]
    own, state, learner = learning.begin(compile_network(model.network, model.tensors), True)
    part = slice(own.layers[0, 3], own.layers[0, 3] + own.layers[0, 1] * own.layers[0, 2])
    mean, out = np.zeros(part.stop - part.start), np.zeros((BYTES_CHUNK, 256), np.int64)
    for n in range(1, 4):
        before = learner.weights[part].astype(np.float64)
        _learn(own, state, learner, symbols[(n - 1) * BYTES_CHUNK : n * BYTES_CHUNK], out)
        assert np.array_equal(learner.first, state.reals)  # where the next gradients end
        squares = (learner.weight_squares[part] - 0.999 * mean) / 0.001
        mean = learner.weight_squares[part].astype(np.float64)
        step = 4e-4 * np.sqrt(squares.clip(0)) / (np.sqrt(mean / (1 - 0.999**n)) + 2.0**-10)
        moved = np.abs(learner.weights[part] - before)
        clear = squares > 1e-3 * mean  # of others the difference of two means says too little
        assert clear.sum() > 1000
        assert np.allclose(moved[clear], step[clear], rtol=0.02, atol=1e-6)


def test_gradients_are_rounded_where_they_leave_a_norm() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(BYTES_CHUNK, 16)).astype(np.float32)
    of_codes, of_sum = (random.normal(size=(BYTES_CHUNK, 16)).astype(np.float32) for _ in range(2))
    for n in range(BYTES_CHUNK):
        descent._norm_back(x[n], of_codes[n], of_sum[n])
    for gradient in (of_codes, of_sum):
        assert np.array_equal(gradient, np.rint(gradient * 4096) / 4096)
        assert np.abs(gradient).max() > 0.01


def test_numbers_stay_numbers_whatever_the_model(model: Model, symbols: np.ndarray) -> None:
    """And gradients do arrive in each layer of some of these models."""
    arrived = 0
    for seed in range(12):
        _, own, learner = run(compile_network(model.network, scales_of_all_sizes(model, seed)), symbols, True)
        check_numbers(own, learner)
        arrived = arrived + layers_with_gradients(own, learner)
    assert (arrived >= 3).all()


def test_who_can_learn(small_models: dict[str, Model]) -> None:
    programs = {
        family: compile_network(small_models[family].network, small_models[family].tensors) for family in FAMILIES
    }
    assert {family: learning.can_learn(program) for family, program in programs.items()} == {
        "recurrent": True,
        "convolution": False,
        "attention": False,
    }
    layers = programs["recurrent"].layers
    assert not learning.can_learn(programs["recurrent"]._replace(layers=np.vstack((layers[:2], layers[3:]))))
    assert not learning.can_learn(empty_program())


@pytest.mark.parametrize("of_pictures", [False, True])
def test_memory_is_what_is_used(program: Program, of_pictures: bool) -> None:
    """And it is told without taking it."""
    module: Any = stack if of_pictures else learning
    learns: Any = store.stack_program(load(GOLDEN / "small-pixels.safetensors")) if of_pictures else program
    tracemalloc.start()
    try:
        expected = module.memory(learns)
        _, asked = tracemalloc.get_traced_memory()
        tracemalloc.clear_traces()
        kept = module.begin(learns, True)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept
    assert asked < 0.05 * expected
    assert 0.95 * used < expected < 1.05 * used
