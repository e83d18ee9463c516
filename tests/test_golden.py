"""Files of format version 1 decode for ever, and the same input still gives the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import arcodec
from arcodec import predictor
from arcodec.mixing.pixels.engine import conformance_picture
from arcodec.models import store
from arcodec.models.file import Model
from arcodec.models.wide import TorchEngine
from tests.conftest import GOLDEN, compiled

MODEL = str(GOLDEN / "small-recurrent.safetensors")
CONVOLUTION = str(GOLDEN / "small-convolution.safetensors")
FOLLOWERS = str(GOLDEN / "small-followers.safetensors")
SAMPLE = (Path(__file__).parent.parent / "data" / "sample.txt").read_bytes()

FILES = {
    "empty": (b"", {}),
    "one-block": (SAMPLE, {}),
    "several-blocks": (SAMPLE, {"block_size": 1000}),
    "stored": (bytes(range(256)), {}),
    "mixed": (SAMPLE[:500] + bytes(range(256)) * 2, {"block_size": 500}),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_golden_files(name: str) -> None:
    original, settings = FILES[name]
    golden = (GOLDEN / f"{name}.arc").read_bytes()
    assert arcodec.decompress(golden, model=MODEL) == original
    assert arcodec.decompress(golden, model=MODEL, device="torch") == original
    assert arcodec.compress(original, MODEL, mix=False, **settings) == golden


MIXED = {
    "mixture": (SAMPLE, MODEL, {}),
    "mixture-blocks": (SAMPLE + bytes(range(256)), MODEL, {"block_size": 1500}),
    "experts": (SAMPLE * 2, "none", {}),
    "fast": (SAMPLE * 2, None, {"preset": "fast"}),
    "best": (SAMPLE + bytes(range(256)), CONVOLUTION, {"preset": "best"}),
    "learning": (SAMPLE + bytes(range(256)), MODEL, {"preset": "best"}),
    "followers": (SAMPLE + bytes(range(256)), FOLLOWERS, {}),
    "followers-learning": (SAMPLE + bytes(range(256)), FOLLOWERS, {"preset": "best"}),
}


@pytest.mark.parametrize("name", sorted(MIXED))
def test_golden_mixtures(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "_SHORT", 0)  # or the networks would be alone
    original, model, settings = MIXED[name]
    golden = (GOLDEN / f"{name}.arc").read_bytes()
    assert arcodec.decompress(golden, model=model if model in (CONVOLUTION, FOLLOWERS) else MODEL) == original
    assert arcodec.compress(original, model, **settings) == golden


def test_a_golden_file_of_two_networks(
    small_models: dict[str, Model], monkeypatch: pytest.MonkeyPatch, known_models: None
) -> None:
    """One that learns, and another beside it."""
    golden, original = (GOLDEN / "beside.arc").read_bytes(), SAMPLE + bytes(range(256))
    assert arcodec.decompress(golden) == original
    monkeypatch.setattr(predictor, "_most_familiar", lambda *_: small_models["recurrent"])
    monkeypatch.setattr(predictor, "_WORTH", 200)
    monkeypatch.setattr(store, "LARGE", "small-attention")
    assert arcodec.compress(original, preset="best") == golden


UNROOTED = sorted({*MIXED, "best-static"} - {"fast"})  # of before the mixer had roots; one, before networks learnt


@pytest.mark.parametrize("name", UNROOTED)
def test_files_from_before_the_mixer_had_roots(name: str) -> None:
    original, model, _ = MIXED["learning" if name == "best-static" else name]
    model = MODEL if model in (None, "none") else model
    assert arcodec.decompress((GOLDEN / f"unrooted-{name}.arc").read_bytes(), model=model) == original


def _picture() -> bytes:
    samples = conformance_picture()
    return b"P6\n%d %d\n255\n" % samples.shape[1::-1] + samples.tobytes()


PIXELS = str(GOLDEN / "small-pixels.safetensors")
PICTURES = {
    "picture": (_picture(), "none", {}),
    "picture-fast": (_picture(), None, {"preset": "fast", "block_size": 32 * 3 * 10}),
    "picture-best": (_picture(), "none", {"preset": "best"}),
    "picture-network": (_picture(), PIXELS, {}),
    "picture-learning": (_picture(), PIXELS, {"preset": "best"}),
    "picture-parted": ((GOLDEN / "once-jpeg.ppm").read_bytes(), "none", {}),
}


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_golden_pictures(name: str) -> None:
    original, model, settings = PICTURES[name]
    golden = (GOLDEN / f"{name}.arc").read_bytes()
    assert arcodec.decompress(golden, model=PIXELS if model == PIXELS else None) == original
    assert arcodec.compress(original, model, media="image", **settings) == golden


FREQUENCIES = {
    "attention": "b8aae7d4f5ad90aa",
    "convolution": "814b7f7b490335f3",
    "followers": "02f2c6a328462101",
    "recurrent": "7ca29f9cdce6232c",
}


@pytest.mark.parametrize("kind", sorted(FREQUENCIES))
def test_golden_frequencies(small_models: dict[str, Model], kind: str) -> None:
    import numpy as np

    model, symbols = small_models[kind], np.frombuffer(SAMPLE, np.uint8)
    for engine in (compiled(model), TorchEngine(model)):
        frequencies = engine.frequencies(symbols).astype("<u4")
        assert hashlib.sha256(frequencies.tobytes()).hexdigest()[:16] == FREQUENCIES[kind]
