"""What all tests share: hypothesis profiles, and small networks with random weights."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

from arcodec.exact.program import compile_network
from arcodec.exact.torch_networks import TorchNetwork
from arcodec.models import store
from arcodec.models.compiled import CompiledEngine
from arcodec.models.file import Model, load
from arcodec.models.registry import Design

settings.register_profile("quick", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
torch.set_num_threads(1)

GOLDEN = Path(__file__).parent / "golden"

FOLLOWERS = "followers"  # of family recurrent, with a memory of what followed, which the others here have not
SMALL = {
    "recurrent": Design.of("recurrent", width=32, blocks=2, rows_log2=8, row_width=8, followers=0),
    "convolution": Design.of("convolution", width=24, dilations=(1, 2, 5), rows_log2=8, row_width=8),
    "attention": Design.of("attention", width=32, blocks=2, heads=2, window=9, rows_log2=8, row_width=8),
    FOLLOWERS: Design.of("recurrent", width=16, blocks=1, rows_log2=8, row_width=8),
}


def random_network(kind: str) -> tuple[TorchNetwork, Design]:
    """A small trainable network whose weights use their whole range."""
    design = SMALL[kind]
    torch.manual_seed(7)
    network = TorchNetwork(design.network())
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter is network.embed.table or parameter is getattr(network.embed, "followers", None):
                parameter.normal_(0, 0.1)
            elif parameter.ndim > 1:
                parameter.mul_(2.0)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return network, design


def compiled(model: Model, threads: int = 1) -> CompiledEngine:
    """Its engine, laid out anew and not verified."""
    return CompiledEngine(compile_network(model.network, model.tensors), threads)


@pytest.fixture(scope="session")
def small_models() -> dict[str, Model]:
    """A small model of each kind, trained for some seconds on the sample text (tests/golden/README.md)."""
    return {kind: load(GOLDEN / f"small-{kind}.safetensors") for kind in SMALL}


@pytest.fixture(params=sorted(SMALL))
def small_model(request: pytest.FixtureRequest, small_models: dict[str, Model]) -> Model:
    """Each kind in turn."""
    return small_models[request.param]


@pytest.fixture
def known_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the small models known by ARCODEC_MODELS."""
    monkeypatch.setenv("ARCODEC_MODELS", str(GOLDEN))


@pytest.fixture(scope="session")
def english() -> bytes:
    """The sample text that comes with the project."""
    return (Path(__file__).parent.parent / "data" / "sample.txt").read_bytes()


@pytest.fixture(scope="session")
def symbols() -> np.ndarray:
    """Text, then every byte value, then noise."""
    noise = np.random.default_rng(3).integers(0, 256, 200).astype(np.uint8)
    text = np.frombuffer(b"the small grey cat sat on the mat and the dog on the log. " * 4, np.uint8)
    return np.concatenate((text, np.arange(256, dtype=np.uint8), noise))


def shipped(name: str) -> bool:
    """Whether a model of this name ships."""
    return any(path.stem == name for path in store.paths())
