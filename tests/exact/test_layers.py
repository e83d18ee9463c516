"""Layers against plain definitions in float64, and causality."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from arcodec.errors import UsageError
from arcodec.exact import rounding as r
from arcodec.exact import spec as s
from arcodec.exact.contexts import fill_rows, remember, rows_of
from arcodec.exact.memory import fresh_memory
from arcodec.exact.packing import CODES, packed, unpacked
from arcodec.exact.tables import exp2_table, sigmoid_table, softmax_table
from arcodec.exact.torch_layers import Attend, Delay, Norm
from arcodec.exact.torch_networks import TorchNetwork
from arcodec.models.file import Model
from arcodec.models.registry import Design
from tests.exact.test_engines import torch_weights


def test_tables_approximate_what_they_stand_for() -> None:
    codes = np.arange(-127, 128)
    assert np.abs(sigmoid_table() / 2**16 - 1 / (1 + np.exp(-codes / 16))).max() < 2**-16
    assert sigmoid_table().min() >= 1
    assert sigmoid_table().max() < 2**16
    assert np.abs(np.log2(exp2_table() / 2**24) + np.arange(1537) / 64)[:900].max() < 1e-3
    assert exp2_table()[-1] == 1
    assert softmax_table()[0] == 1023
    assert softmax_table()[-1] == 0


def test_norm_is_root_mean_square() -> None:
    x = torch.randn(50, 3, 64) * 3
    codes, _ = Norm(s.Norm(64))(x, None)
    plain = x / x.pow(2).mean(-1, keepdim=True).sqrt()
    assert (codes / 32 - plain.clamp(-127 / 32, 127 / 32)).abs().max() < 0.05


@pytest.mark.parametrize("count", [1, 7, 1 << 20])
def test_roots_are_rounded_correctly(count: int) -> None:
    x = np.random.default_rng(count).uniform(1e-5, 300, count).astype(np.float32)
    assert np.array_equal(r.root(torch.from_numpy(x)).numpy(), np.sqrt(x))


def test_norm_of_zeros_is_zero() -> None:
    codes, _ = Norm(s.Norm(16))(torch.zeros(1, 1, 16), None)
    assert torch.equal(codes, torch.zeros(1, 1, 16))


def test_scan_is_the_recurrence() -> None:
    f, b, h = torch.rand(40, 2, 8), torch.randn(40, 2, 8), torch.randn(2, 8)
    out = r.scan(f, b, h)
    expected = h.double()
    for t in range(40):
        expected = f[t].double() * expected + b[t].double()
        assert (out[t] - expected).abs().max() < 1e-3
    assert (r.parallel_scan(f, b, h) - out).abs().max() < 1e-3


def test_scan_has_the_gradient_of_the_recurrence() -> None:
    inputs = [torch.rand(12, 2, 4), torch.randn(12, 2, 4), torch.randn(2, 4)]
    gradients = []
    for scan in (r.scan, r.parallel_scan):
        leaves = [x.clone().requires_grad_() for x in inputs]
        (scan(*leaves) ** 2).sum().backward()
        gradients.append([leaf.grad for leaf in leaves])
    for ours, theirs in zip(*gradients, strict=True):
        assert ours is not None
        assert torch.allclose(ours, theirs, atol=1e-2, rtol=1e-3)


def test_state_is_a_multiple_of_two_to_the_minus_16() -> None:
    h = (torch.randn(1000) * 20).clamp(-60, 60)
    snapped = r.snap_(h.clone())
    assert torch.equal(snapped * 2**16, (snapped * 2**16).round())
    assert (snapped - h).abs().max() <= 2**-17


def test_saturated_codes_stop_gradients_and_parameters_come_back() -> None:
    x = torch.tensor([10.0, -10.0, 0.1], requires_grad=True)
    r.to_code(x, 1 / 32).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0, 32.0]
    latent = torch.tensor([10.0, -10.0], requires_grad=True)
    r.parameter_code(latent, 1 / 32, 7).sum().backward()
    assert latent.grad is not None
    assert latent.grad.tolist() == [32.0, 0.0]


def test_attention_is_softmax_attention() -> None:
    spec = s.Attend(width=16, heads=2, window=6)
    torch.manual_seed(0)
    layer = Attend(spec, torch.from_numpy(softmax_table()).float(), {"distance": np.zeros((2, 6), np.int32)})
    x = torch.randn(20, 1, 48)
    codes, _ = layer(x, layer.memory(1))
    q, k, v = ((x * 32).round().clamp(-127, 127) / 32).double().chunk(3, -1)
    for t in range(20):
        for head in (slice(0, 8), slice(8, 16)):
            keys = torch.cat((torch.zeros(6, 16), k[: t + 1, 0]))[-6:, head]
            values = torch.cat((torch.zeros(6, 16), v[: t + 1, 0]))[-6:, head]
            expected = torch.softmax(keys @ q[t, 0, head] / 8**0.5, 0) @ values
            assert (codes[t, 0, head] / 32 - expected).abs().max() < 0.12  # scores come in steps of 1/8 bit


def test_delay_holds_the_past_only() -> None:
    layer = Delay(s.Delay(width=2, taps=3, dilation=4))
    x = torch.arange(40.0).reshape(20, 1, 2)
    out, kept = layer(x, layer.memory(1))
    assert out[10, 0].tolist() == [20, 21, 12, 13, 4, 5]
    assert out[3, 0].tolist() == [6, 7, 0, 0, 0, 0]
    assert torch.equal(kept, x[-8:])


def test_a_step_never_sees_its_own_future(small_model: Model, symbols: np.ndarray) -> None:
    network = TorchNetwork(small_model.network, small_model.tensors)
    changed = symbols.copy()
    changed[100] ^= 1
    before, after = (torch_weights(network, [lane], len(symbols))[0] for lane in (symbols, changed))
    assert np.array_equal(before[:101], after[:101])
    assert not np.array_equal(before[101], after[101])


def test_convolution_forgets_beyond_its_receptive_field(small_models: dict[str, Model], symbols: np.ndarray) -> None:
    model = small_models["convolution"]
    config = model.design.config
    reach = 8 + (config.taps - 1) * sum(config.dilations)  # hashed contexts see eight symbols at most
    network = TorchNetwork(model.network, model.tensors)
    text = np.frombuffer(b"a b " * 100, np.uint8).copy()  # short words: word contexts reach no further
    changed = text.copy()
    changed[10] = ord("c")
    before, after = (torch_weights(network, [lane], len(text))[0] for lane in (text, changed))
    assert np.array_equal(before[11 + reach :], after[11 + reach :])


def test_contexts_depend_on_their_symbols_alone() -> None:
    rows = []
    for past in (b"xyzzy quick brown", b"other quick brown"):
        memory = fresh_memory(0)
        for symbol in past:
            remember(memory, symbol)
        row = np.zeros(6, np.int64)
        fill_rows(memory, 10, 6, row)
        rows.append(row)
    assert np.array_equal(rows[0], rows[1])  # same six symbols, same two words
    assert [int(row) >> 10 for row in rows[0]] == list(range(6))  # each context in its own part of the table


@pytest.mark.parametrize("bits", sorted(CODES))
def test_codes_of_rows(bits: int) -> None:
    """Every byte is some codes' and comes back; a real gets the nearest code, and no gradient that leads outwards."""
    whole = np.arange(256, dtype=np.uint8)[:, None].repeat(3, 1)
    codes = unpacked(whole, bits)
    assert np.array_equal(packed(codes, bits), whole)
    allowed = np.unique(codes[np.abs(codes) <= CODES[bits][1]])
    real = torch.linspace(-0.4, 0.4, 1001, requires_grad=True)
    given = r.table_code(real, bits)
    off = np.abs(real.detach().numpy()[:, None] / s.EMBED_STEP - allowed)
    assert np.allclose(np.abs(real.detach().numpy() / s.EMBED_STEP - given.detach().numpy()), off.min(1), atol=1e-5)
    given.sum().backward()  # descent lowers every real
    assert real.grad is not None
    stuck = real.grad == 0
    assert stuck.any()
    assert torch.all(given[stuck] == allowed.min())
    assert torch.all(real.grad[~stuck] == 1 / s.EMBED_STEP)


@pytest.mark.parametrize("followers", [0, s.MOST_FOLLOWERS])
def test_rows_of_goes_on_where_it_stopped(symbols: np.ndarray, followers: int) -> None:
    memory = fresh_memory(followers)
    parts = [rows_of(part, memory, 12, 6) for part in (symbols[:5], symbols[5:100], symbols[100:])]
    assert np.array_equal(np.concatenate(parts), rows_of(symbols, fresh_memory(followers), 12, 6))


@pytest.mark.parametrize(
    ("family", "settings", "what"),
    [
        ("recurrent", {"width": 1041}, "width"),
        ("recurrent", {"width": 1000, "expansion": 3}, "3000 to 1000"),
        ("recurrent", {"rows_log2": 23}, "rows"),
        ("recurrent", {"row_width": 3}, "rows of 3"),
        ("recurrent", {"row_width": 6, "code_bits": 2}, "multiple of 4"),
        ("recurrent", {"code_bits": 3}, "codes of 3 bits"),
        ("recurrent", {"contexts": 9}, "contexts"),
        ("recurrent", {"followers": 10}, "followers of 10"),
        ("attention", {"window": 130}, "window"),
        ("attention", {"heads": 3}, "heads"),
        ("convolution", {"taps": 1}, "taps"),
        ("convolution", {"taps": 16, "dilations": (65536,) * 12}, "remembers"),
        ("convolution", {"dilations": (1.5,)}, "expected"),
        ("convolution", {"dilations": (1,) * 65}, "out of range"),
        ("recurrent", {"blocks": 200}, "branches"),
        ("recurrent", {"blocks": 10**20}, "out of range"),
    ],
)
def test_networks_beyond_the_bounds_are_refused(family: str, settings: dict[str, int], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        Design.of(family, **settings)


def test_the_largest_allowed_sums_fit() -> None:
    assert s.MAX_INPUTS * 127 * 63 < 2**24 <= (s.MAX_INPUTS + 1) * 127 * 63
    assert s.MAX_WIDTH * 127**2 < 2**24 <= (s.MAX_WIDTH + 1) * 127**2
    assert s.MAX_WINDOW * 1023 * 127 < 2**24 <= (s.MAX_WINDOW + 1) * 1023 * 127


def test_eight_contexts_see_eight_symbols() -> None:
    rows = []
    for past in (b"..abcdefgh", b"!!abcdefgh", b"!!Xbcdefgh"):
        memory = fresh_memory(0)
        for symbol in past:
            remember(memory, symbol)
        row = np.zeros(8, np.int64)
        fill_rows(memory, 20, 8, row)
        rows.append(row[7])
    assert rows[0] == rows[1] != rows[2]
