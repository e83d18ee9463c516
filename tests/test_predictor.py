"""Who predicts, in blocks of which size, with how much of the machine."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import arcodec
from arcodec import codec, container, predictor
from arcodec.errors import LimitError, ModelError, UsageError
from arcodec.exact import learning, stack
from arcodec.exact.program import compile_network
from arcodec.guesses import likeliest
from arcodec.mixing.engine import MixtureEngine
from arcodec.mixing.pixels import team as pixel_team
from arcodec.mixing.pixels.engine import conformance_picture
from arcodec.mixing.team import BEST, DEFAULT, LEARNING, TEAMS
from arcodec.models import store
from arcodec.models.compiled import CompiledEngine
from arcodec.models.engine import Coded
from arcodec.models.file import Model, load
from arcodec.predictor import (
    Predictor,
    Resources,
    block_size_for,
    choose,
    engine_for,
    engine_for_picture,
    for_picture,
    of_header,
)
from tests.conftest import GOLDEN


def test_presets_are_the_teams_in_order() -> None:
    """The low bits of a team's number are its preset; numbers of teams of bytes with roots are 4 higher."""
    names = (*predictor.PRESETS, "best, learning")
    for teams in (TEAMS.values(), pixel_team.TEAMS):
        for team in teams:
            assert team.name.replace(", unrooted", "") == names[team.number & container.PRESET_BITS]
            assert team.learns == (team.number & container.PRESET_BITS == container.LEARNING)
    assert {number: team.rooted for number, team in TEAMS.items()} == {
        number: number >= container.ROOTED for number in (0, 1, 2, 3, 5, 6, 7)
    }
    assert container.LEVELS[container.BYTES, container.MIXTURE] == tuple(sorted(TEAMS))
    assert container.LEVELS[container.PICTURE, container.MIXTURE] == tuple(team.number for team in pixel_team.TEAMS)
    for media in (container.BYTES, container.PICTURE):
        with_network, alone = (container.LEVELS[media, kind] for kind in (container.MIXTURE, container.EXPERTS))
        assert list(alone) == [level for level in with_network if level & container.PRESET_BITS != container.LEARNING]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("docs/ARCHITECTURE.md", "text-markdown"),
        ("arcodec/training/packages.py", "text-python"),
        ("data/sample.txt", "text-prose"),
    ],
)
def test_text_is_predicted_by_the_network_that_knows_its_kind(path: str, name: str) -> None:
    text = (Path(__file__).parent.parent / path).read_bytes()
    for mix in (False, True):
        model = choose(memoryview(text), None, "default", mix, Resources()).model
        assert model is not None
        assert model.name == name
    file = arcodec.compress(text)
    assert len(file) < len(arcodec.compress(text, "text"))
    assert arcodec.decompress(file) == text


def test_the_likeliest_networks_try_the_whole_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a sample's first part text-man is only fourth, of the whole it is best."""
    first = dict.fromkeys(("text", *store.FINE_TUNED), 90.0) | {"text": 10, "text-go": 20, "text-c": 30, "text-man": 40}
    whole = dict.fromkeys(first, 1.0) | {"text": 8.0, "text-go": 7.0, "text-c": 9.0, "text-man": 6.0}
    tried = []

    class Known:
        def __init__(self, program: str, _: object) -> None:
            self.name = program

        def encode(self, blocks: list[np.ndarray], _: object) -> list[Coded]:
            tried.append((self.name, len(blocks[0])))
            return [Coded(np.zeros(0, np.uint32), (first if len(blocks[0]) <= 1024 else whole)[self.name], 0.0)]

    monkeypatch.setattr("arcodec.mixing.engine.MixtureEngine", Known)
    monkeypatch.setattr(store, "unverified", lambda model: model.name)
    found = predictor._most_familiar(memoryview(bytes(128_000)), mixed=True, resources=Resources(threads=1))
    assert found.name == "text-man"
    assert [size for _, size in tried] == [512] * len(first) + [2000] * 4
    tried.clear()
    predictor._most_familiar(memoryview(bytes(10_000_000)), mixed=True, resources=Resources(threads=1))
    assert [size for _, size in tried] == [1024] * len(first) + [4096] * 4


def test_a_network_that_is_named_is_taken() -> None:
    text = (Path(__file__).parent.parent / "README.md").read_bytes()[:6000]
    model = choose(memoryview(text), "text", "default", True, Resources()).model
    assert model is not None
    assert model.name == "text"


def test_a_network_learns_at_best_if_it_can(small_models: dict[str, Model], english: bytes) -> None:
    levels = {}
    for family, model in small_models.items():
        chosen = choose(memoryview(2 * english), str(model.path), "best", True, Resources())
        assert chosen.kind == container.MIXTURE
        levels[family] = chosen.level
    static, learning_too = ("attention", "convolution"), ("recurrent", "followers")
    assert levels == dict.fromkeys(static, BEST.number) | dict.fromkeys(learning_too, LEARNING.number)
    alone = choose(memoryview(english), "none", "best", True, Resources())
    assert (alone.kind, alone.level) == (container.EXPERTS, BEST.number)


@pytest.mark.parametrize(("large", "taken"), [(985, True), (986, False)])  # bytes with it: 1 % and its name in the file
def test_at_best_the_large_network_is_taken_if_it_is_worth_it(
    small_models: dict[str, Model], english: bytes, large: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recurrent, attention = (store.find(str(small_models[family].path)) for family in ("recurrent", "attention"))
    monkeypatch.setattr(store, "LARGE", str(attention.path))
    monkeypatch.setattr(predictor, "_most_familiar", lambda *_: recurrent)
    sizes = {container.EXPERTS: 2000, container.MIXTURE: 1000, container.NETWORK: 3000}
    monkeypatch.setattr(predictor, "_size", lambda chosen, _: large if chosen.beside else sizes[chosen.kind])

    def chosen(model: str | None = None, preset: str = "best") -> Predictor:
        return choose(memoryview(2 * english), model, preset, True, Resources())

    learning_one = Predictor(container.MIXTURE, recurrent, LEARNING.number)
    assert chosen() == (replace(learning_one, beside=attention) if taken else learning_one)
    assert chosen(str(recurrent.path)) == learning_one  # what is named is what is taken
    assert chosen(preset="default").beside is None


def test_a_file_names_both_networks(
    small_models: dict[str, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_models: None
) -> None:
    content = (GOLDEN / "beside.arc").read_bytes()
    recurrent, attention = small_models["recurrent"], small_models["attention"]
    (member,) = container.members(content)
    found = of_header(member.header, None)
    assert [model.identity for model in found.models] == [recurrent.identity, attention.identity]
    assert found.name == "experts and a network that learns, beside one that does not"
    ledger = codec.audited(content).ledger
    assert ledger.unexplained_bits == 0
    assert ledger.model_names == ("small-recurrent", "small-attention")
    assert ledger.model_size_bytes == recurrent.size + attention.size
    assert "the models small-recurrent and small-attention, " in ledger.table()
    original = arcodec.decompress(content)
    alone = container.pack(replace(member.header, beside=b""), member.blocks, member.check)
    (_, with_it), (_, without) = (likeliest(one, original, np.ones(len(original), bool), 1) for one in (content, alone))
    assert with_it.shape == without.shape
    assert not np.array_equal(with_it, without)
    with arcodec.open(GOLDEN / "beside.arc") as file:
        assert file.read() == original
    monkeypatch.setenv("ARCODEC_MODELS", str(tmp_path))
    shutil.copy(recurrent.path, tmp_path)
    with pytest.raises(ModelError, match=f"needs model {attention.prefix.hex()}, which is not among those at hand"):
        arcodec.decompress(content)
    assert arcodec.decompress(content, model=str(attention.path)) == original


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("followers", "has model small-followers beside small-recurrent, but their contexts are not the same"),
        ("pixels", "has bytes predicted by model small-pixels, which predicts pictures"),
    ],
)
def test_what_stands_beside_a_network_reads_what_it_reads(
    small_models: dict[str, Model], kind: str, message: str, known_models: None
) -> None:
    """They share a memory."""
    other = load(GOLDEN / f"small-{kind}.safetensors")
    header = container.Header(9, 9, container.MIXTURE, small_models["recurrent"].prefix, LEARNING.number, None)
    with pytest.raises(ModelError, match=message):
        of_header(replace(header, beside=other.prefix), None)


def test_two_networks_share_the_memory_of_what_followed(small_models: dict[str, Model], tmp_path: Path) -> None:
    model, size = small_models["followers"], 1000
    program, other = compile_network(model.network, model.tensors), load(model.path)
    each = LEARNING.memory(size) + learning.memory(program) + model.network.memory_bytes()
    wanted = Predictor(container.MIXTURE, model, LEARNING.number, other)
    each += other.network.state_bytes()
    assert 0 < other.network.state_bytes() < 1000
    engine_for(wanted, size, 1, Resources(max_memory=each))
    with pytest.raises(LimitError, match=r"\(max memory\)"):
        engine_for(wanted, size, 1, Resources(max_memory=each - 1))


def test_the_large_network_can_stand_beside_all_that_are_tried() -> None:
    large = store.find(store.LARGE).design
    assert all(large.reads_rows_of(store.find(name).design) for name in (store.TEXT, *store.FINE_TUNED))


def test_noise_is_stored_without_the_name_of_either(
    small_models: dict[str, Model], known_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Predictor(
        container.MIXTURE,
        store.find("small-recurrent"),
        LEARNING.number,
        store.find("small-attention"),
    )
    monkeypatch.setattr(codec, "choose", lambda *_: found)
    noise = random.Random(1).randbytes(300)
    content = arcodec.compress(noise, preset="best")
    header = container.read_header(memoryview(content))
    assert (header.predictor, header.model, header.beside) == (container.STORED, b"", b"")
    text = b"Two networks, several blocks. " * 40
    content = arcodec.compress(text, preset="best", block_size=500)
    assert container.read_header(memoryview(content)).blocks == 3
    assert arcodec.decompress(content) == text


def test_whether_a_network_helps_is_not_judged_by_the_head(small_models: dict[str, Model], english: bytes) -> None:
    model = str(small_models["recurrent"].path)
    noise = random.Random(0).randbytes(40_000)
    assert choose(memoryview(english[:100] + noise), model, "default", True, Resources()).kind == container.EXPERTS
    assert choose(memoryview(noise[:4096] + 2 * english), model, "default", True, Resources()).kind == container.MIXTURE


@pytest.mark.parametrize("preset", ["default", "best"])
@pytest.mark.parametrize("harm", [2, -2])  # bytes that the mixture takes more than the network alone
def test_of_short_data_the_network_may_be_better_alone(
    small_models: dict[str, Model], english: bytes, preset: str, harm: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mixer learns whom to trust; what is over before that, it may make larger."""
    model = str(small_models["recurrent"].path)
    sizes = {container.EXPERTS: 1000, container.MIXTURE: 500 + harm, container.NETWORK: 500}
    monkeypatch.setattr(predictor, "_size", lambda chosen, sample: sizes[chosen.kind])
    better = container.NETWORK if harm > 0 else container.MIXTURE
    assert choose(memoryview(english[:4096]), model, preset, True, Resources()).kind == better
    assert choose(memoryview(english[:1000]), model, preset, True, Resources()).kind == better
    assert choose(memoryview(english * 2), model, preset, True, Resources()).kind == container.MIXTURE
    sizes[container.EXPERTS] = 500
    assert choose(memoryview(english[:1000]), model, preset, True, Resources()).kind == container.EXPERTS


@pytest.mark.parametrize("length", [1, 60, 300, 1000, 4000])
def test_short_data_take_no_more_than_by_the_network_alone(
    small_models: dict[str, Model], english: bytes, length: int
) -> None:
    model, text = str(small_models["followers"].path), english[:length]
    content = arcodec.compress(text, model)
    assert len(content) <= len(arcodec.compress(text, model, mix=False))
    assert arcodec.decompress(content, model=model) == text


def test_a_network_for_photographs_learns_and_one_for_small_squares_does_not() -> None:
    pixels = str(GOLDEN / "small-pixels.safetensors")
    picture = conformance_picture()
    height, width, channels = picture.shape
    shape = container.Picture(width, height, channels, 8)
    for preset, level in (("default", pixel_team.DEFAULT.number), ("best", pixel_team.LEARNING.number)):
        chosen = for_picture(shape, picture, pixels, preset)
        assert (chosen.kind, chosen.level) == (container.MIXTURE, level)
        assert chosen.name == "experts and a network" + " that learns" * (preset == "best")
    learning_one, small = (
        Predictor(container.MIXTURE, load(Path(pixels)), pixel_team.LEARNING.number),
        container.Picture(28, 28, 1, 8),
    )
    each = pixel_team.LEARNING.memory(28, 28, 1) + stack.memory(store.stack_program(load(Path(pixels))))
    engine_for_picture(learning_one, small, 28, 1, Resources(max_memory=each))
    with pytest.raises(LimitError, match="max memory"):
        engine_for_picture(learning_one, small, 28, 1, Resources(max_memory=each - 1))
    assert store.find(store.THUMBNAILS).design.config.squares  # so that it is the one that does not
    digits = (
        np.tile(np.arange(28, dtype=np.uint8) * 8, (280, 1))[..., None]
        ^ (np.arange(280, dtype=np.uint8) // 28 & 3)[:, None, None]
    )
    assert for_picture(container.Picture(28, 280, 1, 8), digits, None, "best").level == pixel_team.BEST.number


def test_a_file_may_not_ask_of_a_network_what_it_cannot(small_models: dict[str, Model]) -> None:
    for level in (LEARNING.number, container.LEARNING):
        wanted = Predictor(container.MIXTURE, small_models["convolution"], level)
        with pytest.raises(ModelError, match="which its family cannot"):
            engine_for(wanted, 1000, 1, Resources())


def test_memory_of_what_is_learnt_counts(small_models: dict[str, Model]) -> None:
    model, size = small_models["recurrent"], 1000
    program = compile_network(model.network, model.tensors)
    each = LEARNING.memory(size) + learning.memory(program) + model.network.memory_bytes()
    wanted = Predictor(container.MIXTURE, model, LEARNING.number)
    engine_for(wanted, size, 1, Resources(max_memory=each))
    with pytest.raises(LimitError, match=r"at preset best, .* \(max memory\)"):
        engine_for(wanted, size, 1, Resources(max_memory=each - 1))


def test_memory_of_what_followed_counts(small_models: dict[str, Model]) -> None:
    model, size = small_models["followers"], 1000
    each = DEFAULT.memory(size) + model.network.memory_bytes()
    assert each > DEFAULT.memory(size) + 9_000_000
    wanted = Predictor(container.MIXTURE, model, DEFAULT.number)
    engine_for(wanted, size, 1, Resources(max_memory=each))
    with pytest.raises(LimitError, match=r"at preset default, .* \(max memory\)"):
        engine_for(wanted, size, 1, Resources(max_memory=each - 1))


def test_a_file_may_not_name_a_model_of_the_other_kind() -> None:
    pixels, text = (GOLDEN / f"small-{family}.safetensors" for family in ("pixels", "recurrent"))
    picture = container.Picture(28, 28, 1, 8)
    for path, of, message in (
        (pixels, None, "has bytes predicted by model small-pixels, which predicts pictures"),
        (text, picture, "has pictures predicted by model small-recurrent, which predicts bytes"),
    ):
        header = container.Header(784, 784, container.MIXTURE, load(path).prefix, DEFAULT.number, of)
        with pytest.raises(ModelError, match=message):
            of_header(header, str(path))


def test_blocks_are_larger_where_experts_are_alone() -> None:
    experts, mixture = (Predictor(kind, None, DEFAULT.number) for kind in (container.EXPERTS, container.MIXTURE))
    assert block_size_for(6_000_000, experts, "cpu") == 3_000_000
    assert block_size_for(2_000_000, mixture, "cpu") == 500_000  # an even number of them, for two cores
    assert block_size_for(786_432, mixture, "cpu") == 786_432
    assert block_size_for(10 << 20, Predictor(container.EXPERTS, None, BEST.number), "cpu") == 10 << 20


def test_a_device_for_networks_does_not_cut_the_blocks_of_experts() -> None:
    data = bytes(100_000)
    content = arcodec.compress(data, preset="fast", device="torch")
    assert content == arcodec.compress(data, preset="fast")
    assert block_size_for(100_000, Predictor(container.NETWORK), "torch") < 10_000


@pytest.mark.parametrize("length", [0, 1, 100])
def test_the_choice_needs_no_certain_length(small_model: Model, length: int) -> None:
    chosen = choose(memoryview(b"a" * length), str(small_model.path), "default", True, Resources())
    assert chosen.kind in (container.EXPERTS, container.MIXTURE)


def test_memory_is_half_the_machine_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may claim large blocks: it gets fewer cores, and a clear word when one is too many."""
    best = Predictor(container.EXPERTS, None, BEST.number)
    each = BEST.memory(container.MAX_BLOCK)
    monkeypatch.setattr(predictor, "installed_memory", lambda: 2 * each)
    engine = engine_for(best, container.MAX_BLOCK, 8, Resources(threads=8))
    assert isinstance(engine, MixtureEngine)
    assert engine.threads == 1
    engine = engine_for(best, container.MAX_BLOCK, 8, Resources(threads=8, max_memory=3 * each))
    assert isinstance(engine, MixtureEngine)
    assert engine.threads == 3
    monkeypatch.setattr(predictor, "installed_memory", lambda: 2 * each - 2)
    with pytest.raises(LimitError, match="max memory"):
        engine_for(best, container.MAX_BLOCK, 8, Resources())


@pytest.mark.parametrize(
    ("threads", "blocks", "two"), [(1, 1, False), (2, 1, True), (2, 2, False), (5, 2, True), (4, 0, False)]
)
def test_idle_cores_help(
    small_model: Model, threads: int, blocks: int, two: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = Resources(threads=threads)
    monkeypatch.setattr(predictor, "available_cores", lambda: 1)
    assert not resources.two_each(blocks), "whatever is asked for"
    monkeypatch.setattr(predictor, "available_cores", lambda: 6)
    assert resources.two_each(blocks) == two
    mixture = Predictor(container.MIXTURE, small_model, DEFAULT.number)
    engine = engine_for(mixture, 1000, blocks, resources)
    assert isinstance(engine, MixtureEngine)
    assert engine.helped == two
    engine = engine_for(Predictor(container.NETWORK, small_model), 1000, blocks, resources)
    assert isinstance(engine, CompiledEngine)
    assert not engine.helped, "it is too small"


def test_negative_threads() -> None:
    with pytest.raises(UsageError, match="-1 threads"):
        Resources(threads=-1).cores(3)
