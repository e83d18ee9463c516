"""Experts for pictures: sources of known entropy, agreement of both directions, the numbers they are built on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcodec.container import Picture
from arcodec.errors import DamagedError, ModelError
from arcodec.mixing.pixels import engine as pixel_engine
from arcodec.mixing.pixels import least_squares as ls
from arcodec.mixing.pixels.engine import PixelEngine
from arcodec.mixing.pixels.levels import LEVELS, UNIT, level, signed_step
from arcodec.mixing.pixels.state import fresh_pixels
from arcodec.mixing.pixels.team import TEAMS, Team


def quiet(done: int) -> None:
    pass


def bits(samples: np.ndarray, team: Team = TEAMS[1], depth: int = 8) -> float:
    """Bits of a picture (height, width, channels), which must come back."""
    height, width, channels = samples.shape
    engine = PixelEngine(Picture(width, height, channels, depth), team)
    raw = np.frombuffer(samples.astype(">u2" if depth > 8 else "u1").tobytes(), np.uint8)
    (coded,) = engine.encode([raw], quiet)
    assert abs(32 * len(coded.words) - coded.coded_bits) < 96 + 2e-4 * coded.coded_bits
    (back,) = engine.decode([(coded.words, samples.size)], quiet)
    assert back.tobytes() == raw.tobytes()
    return coded.coded_bits


@pytest.mark.parametrize("team", TEAMS, ids=lambda team: team.name)
def test_noise_costs_its_entropy(team: Team) -> None:
    random = np.random.default_rng(1)
    samples = random.integers(0, 256, (64, 64, 1), np.uint8)
    assert 8 * samples.size < bits(samples, team) < 8.2 * samples.size


@pytest.mark.parametrize("team", TEAMS, ids=lambda team: team.name)
def test_gaussian_noise_costs_little_more_than_its_entropy(team: Team) -> None:
    sigma = 4.0
    samples = np.random.default_rng(2).normal(128, sigma, (160, 160, 1)).round().clip(0, 255).astype(np.uint8)
    entropy = math.log2(sigma * math.sqrt(2 * math.pi * math.e))
    assert entropy - 0.02 < bits(samples, team) / samples.size < 1.04 * entropy


def test_a_skewed_bit_costs_its_entropy() -> None:
    samples = (np.random.default_rng(3).random((200, 200, 1)) < 0.1).astype(np.uint8)
    entropy = -0.1 * math.log2(0.1) - 0.9 * math.log2(0.9)
    assert entropy * 0.97 < bits(samples, depth=1) / samples.size < entropy * 1.06


def test_flat_and_sloping_pictures_cost_next_to_nothing() -> None:
    y, x = np.mgrid[:100, :120]
    assert bits(np.full((100, 120, 3), 77, np.uint8)) < 160
    assert bits((x + y)[..., None].astype(np.uint8)) < 0.06 * x.size


def test_a_repeated_pattern_is_remembered() -> None:
    tile = np.random.default_rng(4).integers(0, 256, (12, 12, 3), np.uint8)
    assert bits(np.tile(tile, (12, 12, 1))) < 1.6 * 8 * tile.size


def test_colours_that_were_converted_are_found() -> None:
    """A picture that came from YCbCr uses a quarter of the RGB cube, two bits a pixel less."""
    random = np.random.default_rng(5)
    luma, blue, red = random.integers(100, 156, (3, 120, 120))
    blue, red = blue - 128, red - 128
    rgb = [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue]
    converted = np.stack(rgb, axis=-1).round().clip(0, 255).astype(np.uint8)
    with_lattice, without = bits(converted, TEAMS[1]), bits(converted, TEAMS[0])
    entropy = 3 * math.log2(56) * luma.size
    assert with_lattice < 0.95 * without
    assert with_lattice > entropy


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 33), st.integers(1, 4), st.integers(1, 16), st.integers(0, 2**32))
def test_any_block_comes_back(height: int, width: int, channels: int, depth: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    smooth = random.integers(0, 1 << depth, (1, 1, channels)) + random.integers(-2, 3, (height, width, channels))
    kind = np.uint16 if depth > 8 else np.uint8
    bits(smooth.clip(0, (1 << depth) - 1).astype(kind), TEAMS[0], depth)


def test_channels_help_each_other() -> None:
    grey = np.random.default_rng(6).normal(128, 20, (80, 80)).clip(0, 255).astype(np.uint8)
    three = np.repeat(grey[..., None], 3, axis=2)
    assert bits(three) < 1.06 * bits(grey[..., None])


def test_damaged_words_are_noticed_or_give_something_else() -> None:
    samples = pixel_engine.conformance_picture()
    height, width, channels = samples.shape
    engine = PixelEngine(Picture(width, height, channels, 8))
    (coded,) = engine.encode([samples.reshape(-1)], quiet)
    other = 0
    places = range(0, len(coded.words) - 3, 7)  # of the last bits some are free
    for at in places:
        words = coded.words.copy()
        words[at] ^= np.uint32(0x80000001)
        try:
            (back,) = engine.decode([(words, samples.size)], quiet)
        except DamagedError:
            other += 1
        else:
            other += not np.array_equal(back, samples.reshape(-1))
    assert other == len(places)


def test_what_computes_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(pixel_engine.conforms(team) for team in TEAMS)
    monkeypatch.setitem(pixel_engine.CONFORMANCE, "fast", 1)
    pixel_engine.conforms.cache_clear()
    engine = PixelEngine(Picture(4, 4, 1, 8), TEAMS[0])
    with pytest.raises(ModelError, match="pictures"):
        pixel_engine.verified(engine)
    pixel_engine.conforms.cache_clear()


@pytest.mark.parametrize("team", TEAMS, ids=lambda team: team.name)
@pytest.mark.parametrize("shape", [(1, 1, 1), (9, 70, 2), (40, 31, 3), (64, 64, 4)])
def test_memory_is_what_the_team_says(team: Team, shape: tuple[int, int, int]) -> None:
    pixels = fresh_pixels(*shape, 8, team, False)
    assert sum(array.nbytes for array in pixels) + np.prod(shape) <= team.memory(*shape)


def test_levels_are_half_octaves() -> None:
    for energy in (*range(3000), 10**5, 2**21):
        expected = min(math.floor(2 * math.log2(energy + UNIT // 4)) - 6, LEVELS - 1)
        assert level(energy) == pytest.approx(expected, abs=1 if energy > 4000 else 0)
    steps = [signed_step(error) for error in range(-40 * UNIT, 40 * UNIT)]
    assert steps == sorted(steps)
    assert (min(steps), max(steps)) == (0, 10)


@pytest.mark.parametrize("lanes", [ls.NARROW, ls.WIDE])
def test_least_squares_finds_the_coefficients(lanes: int) -> None:
    """Against numpy's solution of the same weighted problem."""
    random = np.random.default_rng(7)
    count, fade = lanes - 4, 0.95
    inputs = random.normal(0, 30, (200, count)).astype(np.float32)
    targets = (inputs @ random.normal(size=count) + random.normal(size=200)).astype(np.float32)
    scratch = np.zeros(ls.MATRICES + ls.SPACE, np.float32)
    nothing = np.zeros(ls.MATRIX, np.float32)
    for row, target in zip(inputs, targets, strict=True):
        scratch[ls.SAMPLES : ls.SAMPLES + count] = row
        ls.learn(scratch, ls.SAMPLES, ls.MATRICES, lanes, np.float32(1), target, np.float32(fade))
    ls.solve(scratch, ls.MATRICES, nothing, 0, count, lanes)
    root = np.sqrt(fade ** np.arange(199, -1, -1))[:, None]
    expected, *_ = np.linalg.lstsq(inputs * root, targets * root[:, 0], rcond=None)
    scratch[ls.SAMPLES : ls.SAMPLES + lanes] = 0
    scratch[ls.SAMPLES : ls.SAMPLES + count] = inputs[0]
    assert ls.predict(scratch, ls.SAMPLES, ls.MATRICES, lanes) == pytest.approx(float(inputs[0] @ expected), abs=0.2)
