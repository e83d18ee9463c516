from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import arcodec
from arcodec.errors import ModelError, UsageError
from arcodec.exact.program import compile_network
from arcodec.exact.torch_networks import TorchNetwork
from arcodec.models import store
from arcodec.models.compiled import CompiledEngine
from arcodec.models.file import FORMAT, Model, conformance_symbols, digest, load, save
from arcodec.models.registry import FAMILIES, Design
from tests.conftest import GOLDEN


def rewritten(model: Model, path: Path, tensors: dict[str, np.ndarray], **about: object) -> Path:
    facts = {"format": FORMAT, "family": model.design.family, "config": model.design.settings()}
    save_file(tensors, path, metadata={"arcodec": json.dumps({**facts, "conformance": model.conformance, **about})})
    return path


def test_a_model_is_named_by_the_sha256_of_its_file(small_model: Model) -> None:
    assert small_model.identity == hashlib.sha256(small_model.path.read_bytes()).hexdigest()
    assert small_model.prefix == bytes.fromhex(small_model.identity[:8])


def test_the_conformance_vector_is_checked_at_use(small_model: Model, tmp_path: Path) -> None:
    assert store.program(small_model) is store.program(small_model)
    wrong = load(rewritten(small_model, tmp_path / "wrong.safetensors", small_model.tensors, conformance="0" * 64))
    for device in ("cpu", "torch"):
        with pytest.raises(ModelError, match="does not compute model 'wrong'"):
            store.engine_for(wrong, device)


def test_conformance_symbols_never_change() -> None:
    symbols = conformance_symbols()
    assert len(symbols) == 946
    assert set(symbols.tolist()) == set(range(256))
    assert hashlib.sha256(symbols.tobytes()).hexdigest()[:16] == "653d73dbc6b96603"


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("embed.codes", 64, "outside"),
        ("embed.last", -128, "outside"),
        ("embed.scale", np.nan, "outside"),
        ("embed.scale", 1e-42, "below"),
        ("embed.bias", np.inf, "outside"),
        ("sigmoid", 0, "outside"),
        ("exp2", 2**24 + 1, "outside"),
        ("softmax", -1, "outside"),
        ("softmax", 5, "softmax table"),
    ],
)
def test_values_out_of_range_are_refused(
    small_models: dict[str, Model], tmp_path: Path, name: str, value: float, what: str
) -> None:
    model = small_models["recurrent"]
    tensors = {n: array.copy() for n, array in model.tensors.items()}
    tensors[name].flat[-1] = value
    with pytest.raises(ModelError, match=what):
        load(rewritten(model, tmp_path / "bad.safetensors", tensors))


def test_followers_are_checked_like_the_rest(small_models: dict[str, Model], tmp_path: Path) -> None:
    path, model = tmp_path / "bad.safetensors", small_models["followers"]
    without = {name: array for name, array in model.tensors.items() if name != "embed.followers"}
    low = {**model.tensors, "embed.followers": np.full_like(model.tensors["embed.followers"], -128)}
    for tensors, what in ((without, "not those of its design"), (low, "outside")):
        with pytest.raises(ModelError, match=what):
            load(rewritten(model, path, tensors))
    before = {name: value for name, value in model.design.settings().items() if name != "followers"}
    with pytest.raises(ModelError, match=r"not those of its design \(embed.followers\)"):
        load(rewritten(model, path, model.tensors, config=before))
    assert load(rewritten(model, path, without, config=before)).design.config.followers == 0


def test_missing_extra_and_misshapen_tensors_are_refused(small_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    fewer = {name: array for name, array in small_model.tensors.items() if name != "exp2"}
    more = {**small_model.tensors, "extra": np.zeros(1, np.float32)}
    longer = {**small_model.tensors, "exp2": np.ones(2000, np.int32)}
    other = {**small_model.tensors, "exp2": small_model.tensors["exp2"].astype(np.int64)}
    for tensors, what in ((fewer, "exp2"), (more, "extra"), (longer, "2000"), (other, "int64")):
        with pytest.raises(ModelError, match=what):
            load(rewritten(small_model, path, tensors))


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ({"format": "other"}, "expected format"),
        ({"family": "oracle"}, "no model family 'oracle'"),
        ({"config": {"widht": 3}}, "no setting 'widht'"),
        ({"config": {"width": "wide"}}, "expected int"),
        ({"config": {"width": 5000}}, "width 5000"),
        ({"config": None}, "unknown design"),
        ({"config": {"blocks": 10**9}}, "out of range"),
    ],
)
def test_unknown_designs_are_refused(
    small_models: dict[str, Model], tmp_path: Path, about: dict[str, object], what: str
) -> None:
    model = small_models["recurrent"]
    with pytest.raises(ModelError, match=what):
        load(rewritten(model, tmp_path / "bad.safetensors", model.tensors, **about))


def fine_tuned(model: Model, path: Path) -> Path:
    """A model that thinks otherwise of Q than this one, its base."""
    head = f"{len(model.network.branches)}.1.codes"
    codes = model.tensors[head].copy()
    codes[ord("Q")] *= -1
    tensors = {**model.tensors, head: codes}
    engine = CompiledEngine(compile_network(model.network, tensors))
    save(path, model.design, tensors, digest(engine.frequencies(conformance_symbols())), model)
    return path


def test_a_fine_tuned_model_has_what_differs_from_its_base(
    small_model: Model, symbols: np.ndarray, tmp_path: Path, known_models: None
) -> None:
    path = fine_tuned(small_model, tmp_path / "tuned.safetensors")
    head = f"{len(small_model.network.branches)}.1.codes"
    assert list(load_file(path)) == [head]
    tuned = store.find(str(path))
    assert tuned.base is not None
    assert tuned.base.path == small_model.path
    assert tuned.identity == hashlib.sha256(path.read_bytes()).hexdigest()
    assert tuned.tensors.keys() == small_model.tensors.keys()
    assert not np.array_equal(tuned.tensors[head], small_model.tensors[head])
    assert store.program(tuned).table is store.unverified(tuned.base).table
    wide = store.engine_for(tuned, "torch").frequencies(symbols)
    assert np.array_equal(wide, store.engine_for(tuned).frequencies(symbols))
    text = b"What one tune says, another does not. " * 9
    file = arcodec.compress(text, str(path), mix=False)
    assert tuned.prefix in file
    assert arcodec.decompress(file, model=str(path)) == text
    ledger = arcodec.measure(text, str(path), mix=False)
    assert ledger.model_size_bytes == tuned.size + small_model.size
    assert f"the model tuned with the tables of {small_model.name}, " in ledger.table()


def test_a_base_lies_beside_or_among_the_models_at_hand(
    small_models: dict[str, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, here = small_models["recurrent"], tmp_path / "here"
    here.mkdir()
    path = fine_tuned(model, here / "tuned.safetensors")
    for find in (lambda: store.find(str(path)), lambda: load(path)):
        with pytest.raises(ModelError, match=rf"fine-tuned from model {model.identity[:8]}, "):
            find()
    beside = Path(shutil.copy(model.path, here / "base.safetensors"))
    (here / "aside.safetensors").symlink_to("nothing")
    tuned = store.find(str(path))
    assert tuned.base is not None
    assert tuned.base.path == beside
    beside.rename(tmp_path / "base.safetensors")
    assert store.program(tuned) is store.program(tuned)  # it was read whole
    monkeypatch.setenv("ARCODEC_MODELS", str(tmp_path))
    os.utime(path, ns=(1, 1))  # so that it is read again
    assert store.find(str(path)).base is not None


def test_a_base_has_none_itself(small_models: dict[str, Model], tmp_path: Path) -> None:
    model = small_models["recurrent"]
    tuned = load(fine_tuned(model, tmp_path / "tuned.safetensors"), lambda identity: model)
    with pytest.raises(ModelError, match="its base tuned has a base itself"):
        save(tmp_path / "twice.safetensors", tuned.design, tuned.tensors, tuned.conformance, tuned)
    twice = rewritten(tuned, tmp_path / "twice.safetensors", {}, base=tuned.identity)
    with pytest.raises(ModelError, match="its base tuned has a base itself"):
        load(twice, lambda identity: tuned)


def test_a_base_has_rows_that_mean_the_same(small_models: dict[str, Model], tmp_path: Path) -> None:
    """Packed rows of twice the width in half the bits have the same shape."""
    base = small_models["recurrent"]
    config = base.design.settings() | {"row_width": 16, "code_bits": 2}
    path = rewritten(base, tmp_path / "odd.safetensors", base.tensors, base=base.identity, config=config)
    with pytest.raises(ModelError, match="its base small-recurrent is of another design"):
        load(path, lambda identity: base)


def test_a_wider_network_reads_the_rows_of_its_base(small_models: dict[str, Model], tmp_path: Path) -> None:
    base = small_models["recurrent"]
    design = Design.of("recurrent", **base.design.settings() | {"width": 48, "blocks": 3})
    tensors = TorchNetwork(design.network()).export() | {"embed.table": base.tensors["embed.table"]}
    frequencies = CompiledEngine(compile_network(design.network(), tensors)).frequencies(conformance_symbols())
    path = tmp_path / "wider.safetensors"
    save(path, design, tensors, digest(frequencies), base)
    own = load_file(path)
    assert own.keys() == tensors.keys() - {"embed.table", "sigmoid", "exp2", "softmax"}
    wider = load(path, lambda identity: base)
    assert store.program(wider).table is store.unverified(base).table
    about = {"base": base.identity, "config": design.settings()}
    odd = rewritten(wider, tmp_path / "odd.safetensors", own | {"embed.last": base.tensors["embed.last"]}, **about)
    with pytest.raises(ModelError, match=r"embed.last is int8 \(256, 32\), expected int8 \(256, 48\)"):
        load(odd, lambda identity: base)
    del own["embed.last"]
    with pytest.raises(ModelError, match=r"embed.last is int8 \(256, 32\), expected int8 \(256, 48\)"):
        load(rewritten(wider, tmp_path / "odd.safetensors", own, **about), lambda identity: base)


@pytest.mark.parametrize("base", [7, None, "", "4", "g" * 64, "\n" * 64])
def test_a_base_is_named_by_a_whole_sha256(small_models: dict[str, Model], tmp_path: Path, base: object) -> None:
    model = small_models["recurrent"]
    path = rewritten(model, tmp_path / "odd.safetensors", model.tensors, base=base)
    with pytest.raises(ModelError, match="its base is not named by a sha-256"):
        load(path, lambda identity: model)


def test_a_base_that_is_another_by_now(small_models: dict[str, Model], tmp_path: Path) -> None:
    path = fine_tuned(small_models["recurrent"], tmp_path / "tuned.safetensors")
    with pytest.raises(ModelError, match="changed while it was read"):
        load(path, lambda identity: small_models["followers"])


def test_a_fine_tuned_model_of_pictures_predicts_no_bytes(tmp_path: Path, known_models: None) -> None:
    pixels = load(GOLDEN / "small-pixels.safetensors")
    save(tmp_path / "p.safetensors", pixels.design, pixels.tensors, pixels.conformance, pixels)
    with pytest.raises(UsageError, match="predicts pictures, not bytes"):
        arcodec.compress(b"bytes", str(tmp_path / "p.safetensors"))


def test_a_model_file_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a model file"):
        store.at(tmp_path / "away.safetensors")


def test_networks_that_are_tried_are_small_or_have_tables_for_others() -> None:
    """So that to try them all takes few tables."""
    models = [store.find(name) for name in store.FINE_TUNED]
    with_tables = {model.name for model in models if not model.base}
    assert with_tables == {"text-code", "text-langs"}
    assert {model.base.name for model in models if model.base} == {store.TEXT, *with_tables}
    assert max(model.size for model in models if model.base) < 800_000


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a model file"):
        load(path)


def test_files_without_our_metadata_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    save_file({"x": np.zeros(3, np.float32)}, path)
    with pytest.raises(ModelError, match="expected format"):
        load(path)


def test_designs_check_their_settings() -> None:
    with pytest.raises(UsageError, match="choose one of"):
        Design.of("nothing")
    with pytest.raises(UsageError, match="expected int"):
        Design.of("recurrent", width=1.5)
    assert Design.of("convolution", dilations=[1, 2]).config.dilations == (1, 2)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_says_what_it_can_remember(family: str) -> None:
    assert "can remember" in (FAMILIES[family].__doc__ or "")


@pytest.mark.parametrize("path", list(store.paths()), ids=lambda path: path.stem)
def test_shipped_models_compute_what_they_promise(path: Path) -> None:
    model = store.at(path)
    if model.design.of_pictures:
        store.stack_program(model)  # raises otherwise
    else:
        store.program(model)  # likewise
    card = path.with_suffix(".md").read_text()
    assert model.identity in card
    assert model.base is None or model.base.identity in card
    assert len(card) < 4000


def test_shipped_models_are_small() -> None:
    sizes = [path.stat().st_size for path in store.paths() if path.parent == store.SHIPPED]
    assert max(sizes) <= 14_000_000
    assert sum(sizes) <= 120_000_000  # with those that shipped before


def test_models_that_have_shipped_stay() -> None:
    """What they wrote must be readable for ever."""
    identities = {
        "text-1": "3ea14e0b",
        "text-2": "499501f9",
        "text-3": "b4d8dd3a",
        "text-4": "91433bd3",
        "text-5": "e889c3e4",
        "text": "887e024a",
        "text-large-1": "92ed80d7",
        "text-large": "899f6eca",
        "text-prose": "7e07ad2c",
        "text-encyclopedic": "93d17edb",
        "text-docs": "7ad0394a",
        "text-html": "f3a7def5",
        "text-markdown": "d946db0a",
        "text-man": "a7266e90",
        "text-code-1": "6994dd71",
        "text-code": "06b1bda4",
        "text-c-1": "9920a378",
        "text-c": "288acbe6",
        "text-java-1": "4295e3fa",
        "text-java": "d104b445",
        "text-csharp-1": "ed27948b",
        "text-csharp": "99284cd9",
        "text-kotlin-1": "321a55df",
        "text-kotlin": "63fe3be1",
        "text-go-1": "22d938af",
        "text-go": "cbf3c26e",
        "text-rust-1": "60088142",
        "text-rust": "93ec3ed4",
        "text-python-1": "d21e1fba",
        "text-python": "76962757",
        "text-web-1": "e75b42d8",
        "text-web": "f4316065",
        "text-scripts-1": "53892796",
        "text-scripts": "fdfff532",
        "text-code-other": "17cbf2e0",
        "text-data": "1911c654",
        "text-tables": "14cc5913",
        "text-po": "a56521f1",
        "text-langs-1": "3f2c742d",
        "text-langs": "66e70826",
        "text-romance-1": "6d84173b",
        "text-romance": "e4dd6ee5",
        "text-germanic-1": "6a6d89bd",
        "text-germanic": "4a34035c",
        "text-slavic-1": "1f24e474",
        "text-slavic": "30e4e3d3",
        "text-cjk-1": "588daeb0",
        "text-cjk": "8eca04eb",
        "photographs": "a38dc26c",
        "thumbnails-1": "231c97c7",
        "thumbnails-2": "16a4b9ff",
        "thumbnails-3": "579c8e1c",
        "thumbnails": "674647e4",
    }
    assert {name: store.find(name).identity[:8] for name in identities} == identities
    letter = b"Files made with the first default network name it, and find it by its identity alone. "
    file = arcodec.compress(letter, "text-1")
    assert bytes.fromhex(identities["text-1"]) in file
    assert arcodec.decompress(file) == letter
