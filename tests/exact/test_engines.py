"""One answer: every family, every engine, every way to feed it, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from arcodec.errors import DamagedError
from arcodec.exact.contexts import rows_of
from arcodec.exact.memory import fresh_memory
from arcodec.exact.torch_layers import PRODUCTS
from arcodec.exact.torch_networks import TorchNetwork
from arcodec.models import wide
from arcodec.models.file import Model
from arcodec.models.wide import TorchEngine
from tests.conftest import SMALL, compiled, random_network


def torch_weights(network: TorchNetwork, lanes: list[np.ndarray], chunk: int, product: str = "float32") -> np.ndarray:
    """Weights (lanes, time, 256) of equally long lanes, fed in chunks."""
    embed = network.spec.embed
    target = torch.from_numpy(np.stack(lanes, 1).astype(np.int64))
    last = torch.cat((torch.zeros_like(target[:1]), target[:-1]))
    rows = [rows_of(lane, fresh_memory(embed.followers), embed.rows_log2, embed.contexts) for lane in lanes]
    rows_by_time = torch.from_numpy(np.stack(rows, 1))
    memory, out = network.memory(len(lanes)), []
    network.multiply_with(product)
    with torch.no_grad():
        for start in range(0, len(target), chunk):
            part = slice(start, start + chunk)
            logits, memory = network(last[part], rows_by_time[part], memory)
            out.append(network.weights(logits))
    return torch.cat(out).transpose(0, 1).numpy()


@pytest.fixture
def network(small_model: Model) -> TorchNetwork:
    return TorchNetwork(small_model.network, small_model.tensors)


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_all_at_once_equals_step_by_step(network: TorchNetwork, symbols: np.ndarray, chunk: int) -> None:
    whole = torch_weights(network, [symbols], len(symbols))
    assert np.array_equal(whole, torch_weights(network, [symbols], chunk))
    assert len(np.unique(whole)) > 100  # not trivially equal


def test_alone_equals_among_64(network: TorchNetwork, symbols: np.ndarray) -> None:
    others = np.random.default_rng(5).integers(0, 256, (63, len(symbols))).astype(np.uint8)
    lanes = [*others[:40], symbols, *others[40:]]
    alone = torch_weights(network, [symbols], 50)[0]
    assert np.array_equal(alone, torch_weights(network, lanes, 50)[40])


def test_one_thread_equals_two(network: TorchNetwork, symbols: np.ndarray) -> None:
    lanes = [np.roll(symbols, shift) for shift in range(16)]  # enough work for torch to split
    one = torch_weights(network, lanes, 300)
    torch.set_num_threads(2)
    try:
        assert np.array_equal(one, torch_weights(network, lanes, 300))
    finally:
        torch.set_num_threads(1)


def test_float32_equals_int8_products(network: TorchNetwork, symbols: np.ndarray) -> None:
    lanes = [np.roll(symbols, shift) for shift in range(20)]
    assert np.array_equal(torch_weights(network, lanes, 64), torch_weights(network, lanes, 64, "int8"))


def test_torch_equals_compiled(small_model: Model, symbols: np.ndarray) -> None:
    assert np.array_equal(TorchEngine(small_model).frequencies(symbols), compiled(small_model).frequencies(symbols))


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_what_is_trained_is_what_is_coded(kind: str, symbols: np.ndarray) -> None:
    trainable, design = random_network(kind)
    frozen = TorchNetwork(design.network(), trainable.export())
    assert np.array_equal(torch_weights(trainable, [symbols], 99), torch_weights(frozen, [symbols], 99))


def at_extremes(model: Model, seed: int) -> Model:
    """The model with every weight and embedding code as large as a file may hold, signs at random, and large biases.

    Half of the rows have one sign throughout, for the largest sums. The head keeps its weights, so that the
    distributions tell what came before them.
    """
    random = np.random.default_rng(seed)
    tensors = {name: array.copy() for name, array in model.tensors.items()}
    head = max(name for name in tensors if name.endswith(".codes") and name != "embed.codes")
    for name, array in tensors.items():
        kind = name.rpartition(".")[2]
        if kind == "codes" and name != head:
            array[:] = 63 * random.choice([-1, 1], array.shape)
            array[::2] = 63 * random.choice([-1, 1], (len(array[::2]), 1))
        elif kind in ("last", "followers"):
            array[:] = 127 * random.choice([-1, 1], array.shape)
        elif kind == "table":
            array[:] = random.choice([0x11, 0x1F, 0xF1, 0xFF], array.shape)
        elif kind == "bias" and not name.startswith(head.removesuffix("codes")):
            array[:] = random.choice([-1e6, -1.0, 0.0, 1.0, 1e6], array.shape)
    return Model(**{**vars(model), "tensors": tensors})


@pytest.mark.parametrize("seed", range(4))
def test_operands_at_their_extremes(small_model: Model, symbols: np.ndarray, seed: int) -> None:
    extreme = at_extremes(small_model, seed)
    ours = compiled(extreme).frequencies(symbols)
    assert np.array_equal(TorchEngine(extreme).frequencies(symbols), ours)
    assert np.array_equal(TorchEngine(extreme, product="int8").frequencies(symbols), ours)
    assert (ours.sum(1) == 2**24).all()
    assert (ours >= 1).all()
    assert len(np.unique(ours)) > 100


@pytest.mark.parametrize("product", sorted(set(PRODUCTS) - {"bfloat16"}))
def test_products_are_exact_at_the_largest_sums(product: str) -> None:
    codes, weights = torch.full((32, 2096), 127.0), torch.full((32, 2096), 63.0)
    weights[::2] *= -1
    exact = codes.to(torch.int64) @ weights.to(torch.int64).T
    assert int(exact.abs().max()) == 2096 * 127 * 63 < 2**24
    assert torch.equal(PRODUCTS[product](codes, weights).to(torch.int64), exact)


@pytest.mark.parametrize("threads", [1, 2])
def test_engines_write_the_same_words_and_read_each_other(
    small_model: Model, symbols: np.ndarray, threads: int
) -> None:
    blocks = [symbols[:300], symbols[300:301], symbols[301:]]
    one, wide = compiled(small_model, threads), TorchEngine(small_model)
    ours, theirs = list(one.encode(blocks, print)), list(wide.encode(blocks, lambda done: None))
    for a, b in zip(ours, theirs, strict=True):
        assert np.array_equal(a.words, b.words)
        assert a.model_bits == pytest.approx(b.model_bits, abs=1e-6)
    coded = [(c.words, len(block)) for c, block in zip(ours, blocks, strict=True)]
    for engine in (one, wide):
        for block, back in zip(blocks, engine.decode(coded, lambda done: None), strict=True):
            assert np.array_equal(block, back)


def test_lanes_that_remember_too_much_take_turns(
    small_models: dict[str, Model], symbols: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small_models["followers"]
    monkeypatch.setattr(wide, "_MEMORY", 2 * model.network.memory_bytes())
    blocks = [symbols[:20], symbols[20:50], symbols[50:51], symbols[51:90], symbols[90:100]]
    ours = [coded.words for coded in TorchEngine(model).encode(blocks, print)]
    for a, b in zip(ours, compiled(model).encode(blocks, print), strict=True):
        assert np.array_equal(a, b.words)
    coded = [(words, len(block)) for words, block in zip(ours, blocks, strict=True)]
    done: list[int] = []
    for block, back in zip(blocks, TorchEngine(model).decode(coded, done.append), strict=True):
        assert np.array_equal(block, back)
    assert max(done) == 2


def test_impossible_words_are_refused(small_model: Model) -> None:
    words = np.full(2, 0xFFFFFFFF, np.uint32)  # beyond what the last symbol's interval can reach
    for engine in (compiled(small_model), TorchEngine(small_model)):
        with pytest.raises(DamagedError, match="no symbol fits"):
            list(engine.decode([(words, 10)], lambda done: None))
