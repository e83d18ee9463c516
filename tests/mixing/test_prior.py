"""A network among the experts for pictures: both engines agree, what is trained is what is coded, it earns its bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import arcodec
from arcodec import range_kernel as rk
from arcodec.container import Picture
from arcodec.errors import ModelError, UsageError
from arcodec.exact.learner import NOW, PIXELS_CHUNK
from arcodec.exact.program import LINEAR
from arcodec.exact.stack import answers, compile_stacks
from arcodec.exact.torch_networks import TorchStack
from arcodec.mixing.pixels import canvas
from arcodec.mixing.pixels.engine import PixelEngine, conformance_picture
from arcodec.mixing.pixels.loops import code_row
from arcodec.mixing.pixels.prior import fresh_prior
from arcodec.mixing.pixels.state import fresh_pixels
from arcodec.mixing.pixels.team import BEST, DEFAULT, LEARNING, Team
from arcodec.models import pixels as family
from arcodec.models import store
from arcodec.models.file import conformance_codes, load
from arcodec.models.registry import Design
from arcodec.models.wide import stack_answers
from arcodec.training.pictures import bits, described
from tests.conftest import GOLDEN
from tests.exact.extremes import check_numbers, layers_with_gradients, scales_of_all_sizes
from tests.media.samples import photo

MODEL = GOLDEN / "small-pixels.safetensors"


def quiet(done: int) -> None:
    pass


def engine(shape: tuple[int, ...], with_network: bool = True, team: Team = DEFAULT) -> PixelEngine:
    model = load(MODEL)
    network = (store.stack_program(model), model.design.config) if with_network else None
    height, width, channels = shape
    return PixelEngine(Picture(width, height, channels, 8), team, network=network)


@pytest.mark.parametrize("product", ["float32", "int8"])
def test_engines_agree(product: str) -> None:
    model = load(MODEL)
    stacks = model.design.stacks()
    codes = conformance_codes(stacks.stacks[0].inputs)
    compiled = answers(compile_stacks(stacks, model.tensors), codes, stacks.stacks[0].outputs)
    assert np.array_equal(stack_answers(model, codes, product), compiled)
    alone = np.stack([stack_answers(model, code[None], product)[0] for code in codes])
    assert np.array_equal(alone, compiled)


def test_trained_is_coded() -> None:
    """The loss of the trained stacks is what the coder counts for the network's density, decision by decision."""
    model, picture = load(MODEL), conformance_picture()
    samples = described(picture, model.design.config)
    expected = 0.0
    for c, (spec, part) in enumerate(zip(model.design.stacks().stacks, samples, strict=True)):
        stack = TorchStack(spec, model.tensors, f"{c}.")
        codes, around, values = part.part(np.arange(len(part)))
        expected += bits(stack(codes), around, values).item() * len(part)
    (coded,) = engine(picture.shape).encode([picture.reshape(-1)], quiet, detailed=True)
    assert coded.experts_bits["network"] == pytest.approx(expected, rel=0.02)


def test_it_earns_its_bits() -> None:
    picture = conformance_picture()
    (with_network,) = engine(picture.shape).encode([picture.reshape(-1)], quiet)
    (without,) = engine(picture.shape, False).encode([picture.reshape(-1)], quiet)
    assert with_network.model_bits < 0.9 * without.model_bits


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 9),
    st.integers(1, 40),
    st.integers(1, 4),
    st.integers(0, 2**32),
    st.sampled_from((DEFAULT, LEARNING)),
)
def test_any_block_comes_back(height: int, width: int, channels: int, seed: int, team: Team) -> None:
    random = np.random.default_rng(seed)
    samples = random.integers(0, 256, (height, width, channels)).astype(np.uint8)
    coding = engine(samples.shape, team=team)
    (coded,) = coding.encode([samples.reshape(-1)], quiet)
    (back,) = coding.decode([(coded.words, samples.size)], quiet)
    assert back.tobytes() == samples.tobytes()


def test_neighbours_are_known_and_nearest_first() -> None:
    found = family.neighbours(family.MOST_NEIGHBOURS)
    assert len({tuple(at) for at in found.tolist()}) == family.MOST_NEIGHBOURS
    assert all(dy < 0 or (dy == 0 and dx < 0) for dy, dx in found)
    assert (np.diff((found**2).sum(1)) >= 0).all()
    assert -found[:, 0].min() <= canvas.ABOVE
    assert np.abs(found[:, 1]).max() <= canvas.BESIDE


def test_the_place_in_a_square_is_told() -> None:
    config = family.Config(same=4, others=2, squares=1)
    (grey,) = described(np.zeros((60, 28, 1), np.uint8), config)
    place = grey.codes[:, -2 * family.SQUARE :].reshape(60, 28, 2, family.SQUARE)
    assert (place.argmax(-1)[37, 5] == (5, 37 % 28)).all()
    assert ((place != 0).sum(-1) == 1).all()
    (wide,) = described(np.zeros((3, 40, 1), np.uint8), config)
    assert not wide.codes[:, -2 * family.SQUARE :].any()


def test_gradients_reach_every_weight() -> None:
    spec = Design.of("pixels", width=8, hidden=8, blocks=1, same=4, others=2).stacks().stacks[0]
    stack = TorchStack(spec)
    torch.manual_seed(1)
    codes = torch.randint(-40, 40, (256, spec.inputs)).float()
    expected = torch.stack((torch.rand(256) * 255, torch.rand(256) * 5 + 1), 1)
    bits(stack(codes), expected, torch.randint(0, 256, (256,)).float()).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in stack.parameters())


def test_what_is_learnt_while_coding_is_what_training_learns() -> None:
    """After two rows, a chunk, each stack has taken one step: against the gradient that torch finds.

    The last two: where predictors know nothing yet, samples lie beyond what the coder's table tells apart.
    """
    model, picture = load(MODEL), photo(48, PIXELS_CHUNK // 2)
    ordered = np.ascontiguousarray(picture[..., canvas.order(3)], np.uint16)
    pixels = fresh_pixels(*picture.shape, 8, LEARNING, True)
    prior = fresh_prior(store.stack_program(model), model.design.config, canvas.stride(picture.shape[1]), True)
    learner, own = prior.learner, prior.program
    before, constants, layers = learner.weights.copy(), own.constants.copy(), own.layers
    nothing, coder, words = np.zeros((0, 0)), rk.new_encoder(), np.empty(1 << 16, np.uint32)
    for y in range(48):
        assert np.array_equal(learner.weights, before)
        learner.clock[NOW] *= y == 47  # the others are forgotten
        code_row(pixels, prior, coder, words, ordered[y], y, False, nothing, np.zeros(1), np.zeros((0, 2)))
    for c, part in enumerate(described(picture, model.design.config)):
        stack = TorchStack(model.design.stacks().stacks[c])
        tensors = {n.removeprefix(f"{c}."): array for n, array in model.tensors.items() if n.startswith(f"{c}.")}
        stack.adopt(tensors)
        codes, expected, values = part.part(np.arange(len(part) - PIXELS_CHUNK, len(part)))
        bits(stack(codes), expected, values).backward()  # type: ignore[no-untyped-call]
        weights, biases = (
            [p.grad.numpy() for n, p in stack.named_parameters() if n.endswith(kind) and p.grad is not None]
            for kind in ("weight", "bias")
        )
        rows = range(own.starts[c], own.starts[c + 1])
        for i, weight, bias in zip((i for i in rows if layers[i][0] == LINEAR), weights, biases, strict=True):
            outputs, inputs = weight.shape
            row = layers[i]
            at = slice(row[3], row[3] + row[1] * row[2])
            biases_at = slice(row[4] + row[2], row[4] + row[2] + outputs)
            # One step's mean square is a thousandth of the gradient's; the step leads against its sign. Training has
            # the mean of bits, coding the sum of nats, 2**16 to one.
            of_weight = np.sqrt(learner.weight_squares[at] / 0.001) * np.sign(before[at] - learner.weights[at])
            of_weight = of_weight.reshape(row[2], row[1])[:outputs, :inputs] * learner.steps[i]
            of_bias = np.sqrt(learner.bias_squares[biases_at] / 0.001)
            of_bias *= np.sign(constants[biases_at] - own.constants[biases_at])
            for found, gradient in ((of_weight, weight), (of_bias, bias)):
                assert (found * gradient).sum() / np.linalg.norm(found) / np.linalg.norm(gradient) > 0.99
                size = 2**16 * np.log(2) * PIXELS_CHUNK * np.linalg.norm(gradient)
                assert np.linalg.norm(found) == pytest.approx(size, rel=0.05)


def test_it_learns_from_the_picture() -> None:
    picture = photo(150, 200)
    sizes = [next(engine(picture.shape, team=team).encode([picture.reshape(-1)], quiet)) for team in (BEST, LEARNING)]
    assert sizes[1].model_bits < sizes[0].model_bits


def test_numbers_stay_numbers_whatever_the_model() -> None:
    model, picture = load(MODEL), photo(20, 32)
    rows = np.ascontiguousarray(picture, np.uint16)
    arrived = 0
    for seed in range(12):
        program = compile_stacks(model.design.stacks(), scales_of_all_sizes(model, seed))
        pixels = fresh_pixels(*picture.shape, 8, LEARNING, True)
        prior = fresh_prior(program, model.design.config, canvas.stride(picture.shape[1]), True)
        nothing, coder, words = np.zeros((0, 0)), rk.new_encoder(), np.empty(1 << 16, np.uint32)
        for y, row in enumerate(rows):
            code_row(pixels, prior, coder, words, row, y, False, nothing, np.zeros(1), np.zeros((0, 2)))
        check_numbers(prior.program, prior.learner)
        arrived = arrived + layers_with_gradients(prior.program, prior.learner)
    assert (arrived >= 3).all()


def test_the_loss_is_a_code_length() -> None:
    """The probabilities of all values add up to 1, at both ends as well."""
    outputs = torch.randn(5, 3 * family.MIXTURE)
    around = torch.tensor([[0.0, 3.0], [255, 2], [128, 10], [7, 0.4], [250, 30]])
    values = torch.arange(256.0)
    for told, expected in zip(outputs, around, strict=True):
        costs = torch.stack([bits(told[None], expected[None], value[None]) for value in values])
        assert torch.exp2(-costs).sum().item() == pytest.approx(1, abs=1e-3)


def test_models_of_bytes_and_of_pixels_are_told_apart() -> None:
    small = str(GOLDEN / "small-recurrent.safetensors")
    with pytest.raises(UsageError, match="predicts pictures, not bytes"):
        arcodec.compress(b"text", str(MODEL))
    with pytest.raises(UsageError, match="predicts bytes, not pictures"):
        store.stack_program(load(GOLDEN / "small-recurrent.safetensors"))
    picture = conformance_picture()
    content = arcodec.compress_image(np.tile(picture, (2, 2, 1)), small)  # verified, with the network for pictures
    assert np.array_equal(arcodec.decompress_image(content), np.tile(picture, (2, 2, 1)))


def test_a_missing_model_is_named() -> None:
    content = arcodec.compress_image(conformance_picture(), str(MODEL))
    assert np.array_equal(arcodec.decompress_image(content, model=str(MODEL)), conformance_picture())
    with pytest.raises(ModelError, match="the file needs model"):
        arcodec.decompress_image(content)


def test_a_model_that_computes_otherwise_is_refused(tmp_path: pytest.TempPathFactory) -> None:
    content = MODEL.read_bytes()
    conformance = load(MODEL).conformance.encode()
    other = tmp_path / "other.safetensors"  # type: ignore[operator]
    other.write_bytes(content.replace(conformance, b"0" * len(conformance)))
    with pytest.raises(ModelError, match="does not compute model 'other'"):
        arcodec.compress_image(conformance_picture(), str(other))


@pytest.mark.parametrize("config", [{"same": 145}, {"others": 200}, {"squares": 2}])
def test_no_more_neighbours_than_there_are(config: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="neighbours"):
        Design.of("pixels", **config)
