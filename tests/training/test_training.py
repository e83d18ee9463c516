from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import zstandard

import arcodec
from arcodec.errors import UsageError
from arcodec.exact.contexts import rows_of
from arcodec.exact.memory import fresh_memory
from arcodec.exact.program import compile_network
from arcodec.exact.spec import Embed
from arcodec.exact.torch_networks import TorchNetwork
from arcodec.models.compiled import CompiledEngine
from arcodec.models.file import Model, load
from arcodec.models.registry import FAMILIES, Design
from arcodec.training import corpus
from arcodec.training.evaluate import bits_per_byte
from arcodec.training.export import write_model
from arcodec.training.loop import Recipe, Report, Trainer
from arcodec.training.rate import rate_at
from arcodec.training.stream import Lanes
from tests.conftest import SMALL, compiled

TEXT = b"she sells sea shells on the sea shore. " * 300
QUICK = {"lanes": 4, "steps": 32, "warmup": 5, "valid_minutes": 0.02}


def source(text: bytes = TEXT, name: str = "text") -> corpus.Source:
    return corpus.Source(name, np.frombuffer(text, np.uint8), 1.0)


def test_sources_of_all_kinds(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "one.txt").write_bytes(b"one")
    (tmp_path / "d" / "two.txt.zst").write_bytes(zstandard.compress(b"two"))
    (tmp_path / "a=b").write_bytes(b"odd name")
    folder = corpus.load(str(tmp_path / "d"))
    assert folder.symbols.tobytes() == b"one\0two"
    assert corpus.load(f"{tmp_path}/d=2.5").weight == 2.5
    assert corpus.load(f"{tmp_path}/*/*.txt").symbols.tobytes() == b"one"
    assert corpus.load(f"{tmp_path}/a=b").symbols.tobytes() == b"odd name"


def test_zst_files_of_several_frames_and_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(zstandard.compress(b"one, ") + zstandard.compress(b"two"))
    assert corpus.load(str(path)).symbols.tobytes() == b"one, two"
    for damaged, what in ((path.read_bytes()[:-1], "cut off"), (b"nonsense", "not a zstd")):
        path.write_bytes(damaged)
        with pytest.raises(UsageError, match=what):
            corpus.load(str(path))


def test_twins_with_cr_lf() -> None:
    plain, has_cr = source(b"a\nb\n", "plain"), source(b"a\r\nb", "cr")
    made = corpus.with_crlf([plain, has_cr, source(b"no lines", "flat")], 0.25)
    assert [(s.name, s.weight) for s in made] == [("plain", 0.75), ("plain-crlf", 0.25), ("cr", 1.0), ("flat", 1.0)]
    assert made[1].symbols.tobytes() == b"a\r\nb\r\n"
    assert corpus.with_crlf([plain], 0) == [plain]


@pytest.mark.parametrize("argument", ["missing", "d=x", "d=0", "d=-1", "empty"])
def test_sources_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d").mkdir()
    Path("empty").write_bytes(b"")
    with pytest.raises(UsageError):
        corpus.load(argument)


def test_lanes_read_on_and_start_afresh() -> None:
    embed = Embed(contexts=3, rows_log2=8, row_width=2, width=4, followers=2)
    text = b"\0".join(bytes([65 + i]) * 200 + b"\n" for i in range(26))
    lanes = Lanes([source(text)], embed, lanes=5, steps=16, run=4, seed=1)
    assert len(np.unique(lanes.left)) > 1
    chunks = [lanes.next() for _ in range(12)]
    for lane in range(5):
        run: list[int] = []
        for chunk in chunks:
            if chunk.fresh[lane]:
                run = []
                assert chunk.last[0, lane] == 0
            before = len(run)
            run += chunk.symbols[:, lane].tolist()
            if chunk is chunks[0] or before or chunk.fresh[lane]:
                rows = rows_of(np.array(run, np.uint8), fresh_memory(2), 8, 3)
                assert np.array_equal(chunk.rows[:, lane], rows[before:])
                assert chunk.last[1:, lane].tolist() == chunk.symbols[:-1, lane].tolist()
        assert 2 <= sum(chunk.fresh[lane] for chunk in chunks) <= 4
    joined = text + text
    assert all(chunk.symbols[:, lane].astype(np.uint8).tobytes() in joined for chunk in chunks for lane in range(5))


def test_sources_are_drawn_by_weight() -> None:
    embed = Embed(contexts=1, rows_log2=4, row_width=2, width=4)
    sources = [
        corpus.Source("a", np.full(100, 65, np.uint8), 3.0),
        corpus.Source("b", np.full(10_000, 66, np.uint8), 1.0),
    ]
    lanes = Lanes(sources, embed, lanes=20, steps=4, run=1, seed=0)
    drawn = np.concatenate([lanes.next().symbols[0] for _ in range(100)])
    assert abs((drawn == 65).mean() - 0.75) < 0.04


def test_the_learning_rate_warms_up_and_falls() -> None:
    recipe = Recipe(warmup=10, decay_from=0.5)
    assert rate_at(recipe, 0, 0.0) == pytest.approx(0.1)
    assert rate_at(recipe, 100, 0.3) == 1
    assert rate_at(recipe, 100, 0.75) == pytest.approx(0.51)
    assert rate_at(recipe, 100, 1.0) == pytest.approx(0.02)
    assert rate_at(recipe, 100, 1.5) == pytest.approx(0.02)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_learns_and_its_file_codes_what_was_measured(family: str, tmp_path: Path) -> None:
    design = SMALL[family]
    recipe = Recipe(rate=1e-2, table_rate=2e-2, lanes=4, steps=64, warmup=5)  # counted in steps: machines differ
    trainer = Trainer(design, recipe, [source()], [source(TEXT[: 39 * 100])])
    before = trainer.validate()["text"]
    for _ in range(200):
        trainer.advance()
    after = trainer.validate()["text"]
    assert before > 6
    assert after < 3

    path = tmp_path / "m.safetensors"
    write_model(trainer.network, design, path)
    assert load(path).design == design
    text = TEXT[: 39 * 50]
    content = arcodec.compress(text, str(path), mix=False)
    ledger = arcodec.measure(text, str(path), mix=False)
    assert len(content) == ledger.file_bytes
    whole = corpus.Source("whole", np.frombuffer(text, np.uint8), 1.0)
    expected = bits_per_byte(trainer.network, whole, len(text), "cpu", pieces=1)
    assert ledger.model_bits / len(text) == pytest.approx(expected, abs=0.02)


def test_a_run_keeps_its_learning_curve(tmp_path: Path) -> None:
    trainer = Trainer(SMALL["recurrent"], Recipe(minutes=0.04, **QUICK), [source()], [source()])
    reports: list[Report] = []
    trainer.run(tmp_path / "c", tmp_path / "c.csv", reports.append)
    with (tmp_path / "c.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(reports) >= 1
    assert float(rows[-1]["valid_text_bpb"]) == pytest.approx(reports[-1].valid_bpb["text"])
    assert int(rows[-1]["step"]) == trainer.step
    assert (tmp_path / "c").is_file()


def test_a_cut_off_run_goes_on(tmp_path: Path) -> None:
    design = SMALL["recurrent"]
    first = Trainer(design, Recipe(minutes=0.03, **QUICK), [source()], [])
    first.run(tmp_path / "c", tmp_path / "c.csv", lambda report: None)
    second = Trainer(design, Recipe(minutes=0.06, **QUICK), [source()], [])
    second.resume(tmp_path / "c")
    assert second.step == first.step > 0
    for ours, theirs in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    other = Trainer(SMALL["attention"], Recipe(**QUICK), [source()], [])
    with pytest.raises(UsageError, match="another network"):
        other.resume(tmp_path / "c")
    second.run(tmp_path / "c", tmp_path / "c.csv", lambda report: None)
    assert second.step > first.step
    header = (tmp_path / "c.csv").read_text().splitlines()
    assert sum(line.startswith("step") for line in header) == 1


def test_the_same_seed_gives_the_same_network() -> None:
    losses = []
    for _ in range(2):
        trainer = Trainer(SMALL["recurrent"], Recipe(seed=5, **QUICK), [source()], [])
        losses.append([trainer.advance() for _ in range(4)])
    assert losses[0] == losses[1]
    assert all(math.isfinite(loss) for loss in losses[0])


def test_bfloat16_and_the_parallel_scan_train_the_same_network() -> None:
    """What a GPU would run, tried on the CPU: it differs by rounding only."""
    design = SMALL["recurrent"]
    plain = Trainer(design, Recipe(seed=1, **QUICK), [source()], [])
    other = Trainer(design, Recipe(seed=1, product="bfloat16", **QUICK), [source()], [])
    from arcodec.exact.rounding import parallel_scan
    from arcodec.exact.torch_layers import Recurrence

    for module in other.network.modules():
        if isinstance(module, Recurrence):
            module.scan = parallel_scan
    for _ in range(5):
        assert plain.advance() == pytest.approx(other.advance(), abs=0.05)


def test_training_goes_on_from_a_model(small_model: Model) -> None:
    """The reals that a file's integers stand for round to the same integers."""
    trainer = Trainer(small_model.design, Recipe(lanes=2, steps=8), [source()], [])
    trainer.begin_with(small_model)
    for name, array in trainer.network.export().items():
        if array.dtype.kind == "f":
            assert np.allclose(array, small_model.tensors[name], rtol=1e-6, atol=0), name
        else:
            assert np.array_equal(array, small_model.tensors[name]), name
    other = Trainer(Design.of("recurrent", width=16), Recipe(lanes=2, steps=8), [source()], [])
    with pytest.raises(UsageError, match="to begin with is another"):
        other.begin_with(small_model)


def test_fine_tuning_leaves_the_rows(small_models: dict[str, Model], tmp_path: Path) -> None:
    model = small_models["followers"]
    trainer = Trainer(model.design, Recipe(fine_tune=True, rate=0.01, **QUICK), [source()], [])
    trainer.begin_with(model)
    first = trainer.advance()
    for _ in range(20):
        last = trainer.advance()
    assert last < first - 0.1
    path = tmp_path / "tuned.safetensors"
    write_model(trainer.network, model.design, path, model)
    tuned = load(path, lambda identity: model)
    for name in ("embed.table", "embed.followers"):
        assert np.array_equal(tuned.tensors[name], model.tensors[name])
    assert not np.array_equal(tuned.tensors["embed.last"], model.tensors["embed.last"])
    assert path.stat().st_size < model.size / 4
    trainer.save(tmp_path / "c")
    again = Trainer(model.design, Recipe(fine_tune=True, **QUICK), [source()], [])
    again.resume(tmp_path / "c")
    assert again.base == trainer.base == model.identity
    with pytest.raises(UsageError, match="begun with --fine-tune: go on so"):
        Trainer(model.design, Recipe(**QUICK), [source()], []).resume(tmp_path / "c")


def test_a_model_without_followers_is_given_them(
    small_models: dict[str, Model], symbols: np.ndarray, tmp_path: Path
) -> None:
    """They add nothing at first: the same integers before every symbol."""
    model = small_models["recurrent"]
    grown = Design.of("recurrent", **model.design.settings() | {"followers": 3})
    trainer = Trainer(grown, Recipe(lanes=2, steps=8), [source()], [])
    trainer.begin_with(model)
    write_model(trainer.network, grown, tmp_path / "m.safetensors")
    written = load(tmp_path / "m.safetensors")
    assert not written.tensors["embed.followers"].any()
    assert np.array_equal(compiled(written).frequencies(symbols), compiled(model).frequencies(symbols))
    trainer.advance()
    assert trainer.network.embed.followers.any()
    smaller = Trainer(model.design, Recipe(lanes=2, steps=8), [source()], [])
    with pytest.raises(UsageError, match="its followers is 9, not 0"):
        smaller.begin_with(small_models["followers"])
    with pytest.raises(UsageError, match="its family is recurrent, not attention"):
        model.design.check_growth(SMALL["attention"])


def test_a_checkpoint_from_before_followers_has_none(tmp_path: Path) -> None:
    design = SMALL["recurrent"]
    Trainer(design, Recipe(**QUICK), [source()], []).save(tmp_path / "c")
    state = torch.load(tmp_path / "c", weights_only=True)
    del state["design"]["config"]["followers"]
    torch.save(state, tmp_path / "c")
    Trainer(design, Recipe(**QUICK), [source()], []).resume(tmp_path / "c")
    grown = Design.of("recurrent", **design.settings() | {"followers": 9})
    with pytest.raises(UsageError, match="its followers is 0, not 9; give the settings"):
        Trainer(grown, Recipe(**QUICK), [source()], []).resume(tmp_path / "c")


def test_training_that_diverges_stops_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    design = Design.of("recurrent", width=16, blocks=1, contexts=1, rows_log2=4, row_width=2)
    trainer = Trainer(design, Recipe(lanes=2, steps=8), [source()], [])
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(UsageError, match="training diverged"):
        trainer.advance()


def test_a_deeper_network_begins_with_the_same_answers(small_models: dict[str, Model], symbols: np.ndarray) -> None:
    model = small_models["followers"]
    deeper = Design.of("recurrent", **model.design.settings() | {"blocks": 3, "expansion": 3})
    trainer = Trainer(deeper, Recipe(lanes=2, steps=8), [source()], [])
    trainer.begin_with(model)
    engine = CompiledEngine(compile_network(deeper.network(), trainer.network.export()))
    assert np.array_equal(engine.frequencies(symbols), compiled(model).frequencies(symbols))


@pytest.mark.parametrize("kind", ["recurrent", "followers"])
def test_a_wider_network_begins_with_nearly_the_same_answers(
    small_models: dict[str, Model], symbols: np.ndarray, kind: str
) -> None:
    model = small_models[kind]
    more = {"width": 3 * model.design.config.width + 8, "blocks": model.design.config.blocks + 1, "followers": 9}
    wider = Design.of("recurrent", **model.design.settings() | more)
    trainer = Trainer(wider, Recipe(lanes=2, steps=8), [source()], [])
    afresh = bits_per_byte(trainer.network, source(), 4096, "cpu")
    trainer.begin_with(model)
    began = bits_per_byte(TorchNetwork(model.network, model.tensors), source(), 4096, "cpu")
    assert afresh > 7
    assert bits_per_byte(trainer.network, source(), 4096, "cpu") == pytest.approx(began, rel=0.02)
    before = [p.detach().clone() for p in trainer.dense]
    for _ in range(2):  # what is new is read from the first step on, and learns from the second
        trainer.advance()
    assert all(not torch.equal(was, p) for was, p in zip(before, trainer.dense, strict=True))


def test_what_does_not_grow(small_models: dict[str, Model]) -> None:
    design = small_models["recurrent"].design
    for setting, value in (("width", 24), ("blocks", 1), ("row_width", 16), ("contexts", 3)):
        other = Design.of("recurrent", **design.settings() | {setting: value})
        with pytest.raises(UsageError, match=f"does not grow into this one: its {setting} is "):
            design.check_growth(other)
