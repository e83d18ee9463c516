"""From bytes to .arc and back: every kind of input, and damage of every kind."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arcodec
from arcodec import blocks, codec, container
from arcodec.errors import ArcodecError, DamagedError, LimitError, ModelError, UsageError
from arcodec.mixing.team import DEFAULT
from arcodec.models.file import Model
from arcodec.predictor import PRESETS
from tests.conftest import shipped

needs_text_model = pytest.mark.skipif(not shipped("text"), reason="no text model is shipped in this checkout")


def both_ways(data: bytes, model: Model, **settings: object) -> bytes:
    content = arcodec.compress(data, str(model.path), verify=False, threads=1, **settings)  # type: ignore[arg-type]
    assert arcodec.decompress(content, model=str(model.path), threads=1) == data
    return content


@settings(max_examples=25)
@given(st.binary(max_size=300), st.integers(1, 400), st.booleans())
def test_round_trip_of_any_bytes(small_models: dict[str, Model], data: bytes, block_size: int, mix: bool) -> None:
    both_ways(data, small_models["recurrent"], block_size=block_size, mix=mix)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a",
        b"ab",
        bytes(range(256)),
        b"\xff\xfe invalid \x80 utf-8 \xc3(",
        random.Random(1).randbytes(5000),
        b"z" * 20_000,
        "Žluťoučký kůň úpěl ďábelské ódy — 日本語".encode(),
    ],
    ids=["empty", "one", "two", "all-values", "invalid-utf-8", "random", "one-byte-repeated", "utf-8"],
)
@pytest.mark.parametrize("mix", [False, True])
def test_edges(small_model: Model, data: bytes, mix: bool) -> None:
    content = both_ways(data, small_model, mix=mix)
    assert len(content) <= len(data) + 24


def test_a_large_block_of_zeros() -> None:
    """All its words are zero; what is left of them must still allow for so many symbols."""
    data = bytes(5 << 20)
    content = arcodec.compress(data, preset="fast", block_size=len(data))  # verifies
    assert len(content) < 200


@needs_text_model
def test_a_million_times_one_byte() -> None:
    data = b"a" * 1_000_000
    content = arcodec.compress(data)  # verifies
    assert len(content) < 200


@needs_text_model
def test_the_shipped_model_compresses_english(english: bytes) -> None:
    content = arcodec.compress(english)
    assert arcodec.decompress(content) == english
    assert len(content) < len(english) / 2.5


def test_container_overhead_of_one_block(small_model: Model) -> None:
    """At most 24 bytes that are not coded symbols, up to the largest block."""
    data = b"some text, " * 500
    ledger = codec.measured(data, str(small_model.path)).ledger
    assert sum(ledger.container_bytes.values()) <= 24
    largest = container.Header(container.MAX_BLOCK, container.MAX_BLOCK, container.NETWORK, b"abcd")
    payload = b"\0" * 4 * (container.MAX_BLOCK // 4)
    assert len(container.pack(largest, [container.Block(False, payload, 0)], 0)) - len(payload) <= 24
    learning = container.LEARNING | container.ROOTED
    pair = replace(largest, predictor=container.MIXTURE, level=learning, beside=b"efgh")
    assert len(container.pack(pair, [container.Block(False, payload[1:], 0)], 0)) - len(payload[1:]) <= 28


@pytest.mark.parametrize("preset", ["fast", "default", "best"])
def test_presets(small_model: Model, english: bytes, preset: str) -> None:
    model, data = None if preset == "fast" else str(small_model.path), 2 * english
    content = arcodec.compress(data, model, preset=preset)
    assert arcodec.decompress(content, model=str(small_model.path)) == data
    header = container.read_header(memoryview(content))
    learns = preset == "best" and small_model.design.family == "recurrent"
    level = container.LEARNING if learns else PRESETS.index(preset)
    assert header.level == level | (0 if preset == "fast" else container.ROOTED)
    assert (header.predictor == container.MIXTURE) == (preset != "fast")


def test_presets_that_do_not_exist_or_fit() -> None:
    with pytest.raises(UsageError, match="expected fast, default, best"):
        arcodec.compress(b"x", preset="slow")
    with pytest.raises(UsageError, match="takes no model"):
        arcodec.compress(b"x", "text", preset="fast")
    with pytest.raises(UsageError, match="takes no model"):
        arcodec.compress(b"x", preset="fast", mix=False)


def test_memory_is_limited() -> None:
    data = b"a line of text and another one\n" * 600
    content = arcodec.compress(data, "none", block_size=5000, threads=4)
    one = DEFAULT.memory(5000)
    assert arcodec.compress(data, "none", block_size=5000, threads=4, max_memory=2 * one) == content
    assert arcodec.decompress(content, threads=4, max_memory=one) == data
    with pytest.raises(LimitError, match="max memory"):
        arcodec.compress(data, "none", block_size=5000, max_memory=one - 1)
    with pytest.raises(LimitError, match="allowed"):
        arcodec.decompress(content, max_memory=one - 1)


def test_same_bytes_for_any_number_of_threads_and_again(small_model: Model, english: bytes) -> None:
    contents = {
        arcodec.compress(english, str(small_model.path), block_size=700, threads=threads, verify=False)
        for threads in (1, 2, 5, 1)
    }
    assert len(contents) == 1


def test_files_may_be_concatenated(small_model: Model) -> None:
    first, second = both_ways(b"first " * 50, small_model), both_ways(b"", small_model)
    joined = first + second + both_ways(b"third", small_model)
    assert arcodec.decompress(joined, model=str(small_model.path)) == b"first " * 50 + b"third"


@pytest.mark.parametrize(("block_size", "mix"), [(None, False), (60, False), (None, True)])
def test_every_flipped_bit_is_noticed(small_models: dict[str, Model], block_size: int | None, mix: bool) -> None:
    model, data = small_models["recurrent"], b"the price of a letter is the number of strokes. " * 4
    content = both_ways(data, model, block_size=block_size, mix=mix)
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises((DamagedError, ModelError)):
            arcodec.decompress(bytes(damaged), model=str(model.path), threads=1)


@pytest.mark.parametrize("block_size", [None, 60])
def test_every_truncation_is_noticed(small_models: dict[str, Model], block_size: int | None) -> None:
    model = small_models["recurrent"]
    content = both_ways(random.Random(5).randbytes(60) + b"and more " * 20, model, block_size=block_size)
    assert len(content) > 64
    for end in {*range(64), *range(len(content) - 64, len(content))}:
        with pytest.raises(DamagedError):
            arcodec.decompress(content[:end], model=str(model.path), threads=1)


@given(st.binary(max_size=100))
def test_noise_is_never_decoded(noise: bytes) -> None:
    for start in (b"", b"\x89ARC\x10\x00"):
        with pytest.raises(ArcodecError):
            arcodec.decompress(start + b"\xff" + noise)


def test_damaged_words_that_decode_are_still_noticed(small_models: dict[str, Model]) -> None:
    """The last bits of the last word do not matter to the decoder; the checksum covers them all the same."""
    model = small_models["recurrent"]
    content = bytearray(both_ways(b"the price of a letter is the number of strokes. " * 4, model))
    content[-4] ^= 1
    with pytest.raises(DamagedError, match="checksum"):
        arcodec.decompress(bytes(content), model=str(model.path))


def test_limits_are_checked_before_decoding(small_model: Model) -> None:
    content = both_ways(b"x" * 100, small_model)
    with pytest.raises(LimitError, match="100 bytes, more than the 99"):
        arcodec.decompress(content, max_output_size=99)
    assert arcodec.decompress(content, max_output_size=100, model=str(small_model.path)) == b"x" * 100


def test_a_missing_model_is_named(small_models: dict[str, Model]) -> None:
    content = both_ways(b"some friends would like to guess the next letter. " * 20, small_models["recurrent"])
    assert container.read_header(memoryview(content)).predictor == container.MIXTURE
    with pytest.raises(ModelError, match=small_models["recurrent"].prefix.hex()):
        arcodec.decompress(content)
    with pytest.raises(ModelError, match="needs model"):
        arcodec.decompress(content, model=str(small_models["attention"].path))


def test_models_in_named_folders_are_found(small_models: dict[str, Model], known_models: None) -> None:
    content = arcodec.compress(b"some friends would like to guess the next letter. " * 20, "small-recurrent")
    assert arcodec.decompress(content).startswith(b"some friends")


def test_without_a_model_and_experts_everything_is_stored() -> None:
    content = arcodec.compress(b"plain" * 20, "none", mix=False)
    assert content.endswith(b"plain" * 20)
    assert arcodec.decompress(content) == b"plain" * 20


def test_experts_alone_need_no_model(english: bytes) -> None:
    content = arcodec.compress(english, "none")
    header = container.read_header(memoryview(content))
    assert (header.predictor, header.model) == (container.EXPERTS, b"")
    assert len(content) < 0.6 * len(english)
    assert arcodec.decompress(content) == english


def test_a_network_that_does_not_help_is_left_out(small_model: Model) -> None:
    data = random.Random(4).randbytes(40) * 60
    content = both_ways(data, small_model)
    assert container.read_header(memoryview(content)).predictor == container.EXPERTS
    assert len(content) < 400


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"model": "no-such-model"}, ModelError),
        ({"model": "none", "block_size": 0}, UsageError),
        ({"model": "none", "block_size": 2**24 + 1}, UsageError),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        arcodec.compress(b"x", **arguments)  # type: ignore[arg-type]


def test_wrong_devices_and_threads(small_model: Model) -> None:
    with pytest.raises(UsageError, match="threads"):
        arcodec.compress(b"x", str(small_model.path), threads=-1)
    for device in ("no such device", "nonsense", "cuda:99"):
        with pytest.raises(UsageError, match="device"):
            arcodec.compress(b"x", str(small_model.path), device=device)


def test_the_torch_engine_reads_what_the_compiled_one_wrote(small_model: Model, english: bytes) -> None:
    path = str(small_model.path)
    compiled = arcodec.compress(english[:900], path, block_size=200, mix=False)
    assert arcodec.compress(english[:900], path, block_size=200, device="torch") == compiled
    assert arcodec.decompress(compiled, model=path, device="torch") == english[:900]


def test_a_failed_verification_is_an_error(small_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    for parts, at in (([b"some", b"other"], 4), ([b"something else", b"!"], 14), ([b"some"], 4)):
        monkeypatch.setattr(blocks, "originals", lambda *args, parts=parts, **kwargs: iter(parts))
        with pytest.raises(ArcodecError, match=f"verification failed behind byte {at}"):
            arcodec.compress(b"something else", str(small_model.path))


def test_buffers_of_all_kinds(small_model: Model) -> None:
    path, data = str(small_model.path), os.urandom(64)
    contents = {arcodec.compress(kind(data), path) for kind in (bytes, bytearray, memoryview)}
    assert len(contents) == 1
