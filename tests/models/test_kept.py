import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from safetensors.numpy import save

import arcodec
from arcodec.errors import ModelError
from arcodec.models import kept, store
from arcodec.models.file import Model
from tests.conftest import GOLDEN

NAMES = ("table", "codes", "scale")


def files() -> st.SearchStrategy[bytes]:
    """Model files as far as ``kept`` sees them: tensors of some types and shapes, and something in front of them."""
    shapes = hn.array_shapes(min_dims=1, max_dims=2, max_side=6)
    arrays = hn.arrays(st.sampled_from([np.uint8, np.int8, np.float32]), shapes)
    metadata = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)
    return st.builds(save, st.dictionaries(st.sampled_from(NAMES), arrays, min_size=1), metadata)


@given(files(), files())
def test_what_is_kept_comes_back(old: bytes, younger: bytes) -> None:
    content = kept.keep(old, younger)
    assert kept.restored(Path("old.kept"), content, lambda identity: younger) == old


def test_small_steps_take_little_room() -> None:
    random = np.random.default_rng(1)
    table = random.integers(0, 256, 50_000, np.uint8)
    step = random.choice(np.array([0, 0, 0, 0, 0, 0, 1, 16], np.uint8), 50_000)
    old, younger = save({"embed.table": table}), save({"embed.table": table + step})
    assert len(kept.keep(old, younger)) < len(old) / 4


@pytest.fixture
def pair(small_models: dict[str, Model], tmp_path: Path) -> Path:
    """A model kept beside another, which lies in the same folder."""
    old, younger = small_models["recurrent"].path, small_models["followers"].path
    shutil.copy(younger, tmp_path)
    path = tmp_path / "old.kept"
    path.write_bytes(kept.keep(old.read_bytes(), younger.read_bytes()))
    return path


def test_a_kept_model_is_the_model(small_models: dict[str, Model], pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, text = small_models["recurrent"], b"What the old one wrote, the old one reads. " * 20
    file = arcodec.compress(text, str(model.path), mix=False)
    found = store.find(str(pair))
    assert (found.identity, found.size, found.name) == (model.identity, model.size, "old")
    assert all(np.array_equal(found.tensors[name], model.tensors[name]) for name in model.tensors)
    assert arcodec.decompress(file, model=str(pair)) == text
    monkeypatch.setenv("ARCODEC_MODELS", str(pair.parent))
    assert store.find("old") is found
    assert store.find_by_prefix(model.prefix) is found
    assert arcodec.decompress(file) == text


def test_a_model_that_it_is_kept_beside_may_lie_elsewhere(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pair.parent / "small-followers.safetensors").unlink()
    with pytest.raises(
        ModelError, match=r"old.kept is kept as what differs from model [0-9a-f]{8}, which is not at hand"
    ):
        store.find(str(pair))
    monkeypatch.setenv("ARCODEC_MODELS", str(GOLDEN))
    assert store.find(str(pair)).name == "old"


def test_a_chain_has_an_end(small_models: dict[str, Model], pair: Path) -> None:
    older = pair.with_name("older.kept")
    old, oldest = small_models["recurrent"].path.read_bytes(), small_models["attention"].path.read_bytes()
    older.write_bytes(kept.keep(oldest, old))
    assert store.find(str(older)).identity == small_models["attention"].identity
    assert store._content(older, deep=2) == oldest
    with pytest.raises(ModelError, match="and so on: too many"):
        store._content(older, deep=1)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda line, stream: b"", "not a kept model"),
        (lambda line, stream: b"[]\n" + stream, "not a kept model"),
        (lambda line, stream: line.replace(b"-1", b"-2") + b"\n" + stream, "expected format arcodec-kept-1"),
        (lambda line, stream: line.replace(b'"identity": "', b'"identity": "x') + b"\n" + stream, "not a kept model"),
        (lambda line, stream: line + b"\n" + stream[:-40], "is damaged"),
        (lambda line, stream: line + b"\n" + stream[:100], "is damaged"),
        (lambda line, stream: line + b"\nnonsense", "is damaged"),
        (lambda line, stream: line + b"\n" + zlib.compress(b"\xff" * 400), "is damaged"),
        (lambda line, stream: line + b"\n" + zlib.compress(save({"a": np.zeros(3)})), "has another sha-256"),
    ],
)
def test_a_damaged_one_is_refused(pair: Path, spoil: object, what: str) -> None:
    assert callable(spoil)
    line, _, stream = pair.read_bytes().partition(b"\n")
    pair.write_bytes(spoil(line, stream))
    with pytest.raises(ModelError, match=what):
        store.find(str(pair))


def test_every_byte_of_it_counts(pair: Path, small_models: dict[str, Model]) -> None:
    content, younger = pair.read_bytes(), small_models["followers"].path.read_bytes()
    for at in range(0, len(content), 97):
        spoilt = content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]
        with pytest.raises(ModelError, match=r"old.kept is "):
            kept.restored(pair, spoilt, lambda identity: younger)


def test_one_that_says_nothing_is_nobody(pair: Path, small_models: dict[str, Model]) -> None:
    assert kept.identity_of(pair) == small_models["recurrent"].identity
    pair.write_bytes(b"nonsense")
    assert kept.identity_of(pair) == ""
    with pytest.raises(ModelError, match="is not a kept model"):
        store.at(pair)


def test_the_command(small_models: dict[str, Model], tmp_path: Path) -> None:
    old, younger = (Path(shutil.copy(small_models[kind].path, tmp_path)) for kind in ("recurrent", "followers"))
    assert kept.main([str(old), str(younger)]) == 0
    about = json.loads(old.with_suffix(".kept").read_bytes().partition(b"\n")[0])
    assert about["identity"] == small_models["recurrent"].identity
    assert about["younger"] == small_models["followers"].identity
