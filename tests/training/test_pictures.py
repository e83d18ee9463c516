from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arcodec.errors import UsageError
from arcodec.models import pixels as family
from arcodec.models.file import load
from arcodec.models.registry import Design
from arcodec.training import pictures
from arcodec.training.export import write_pixel_model

SMALL = {"width": 8, "hidden": 8, "blocks": 1, "same": 8, "others": 4}
QUICK = {"pool": 0.002, "batch": 256, "warmup": 5, "piece": 48, "valid_minutes": 0.02}


def noisy(height: int = 48, width: int = 48, channels: int = 3, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 12, (height, width, channels))
    slope = np.add.outer(np.arange(height), np.arange(width))[..., None]
    return (100 + slope + noise).astype(np.uint8)


def test_pictures_are_found_and_read(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    Image.fromarray(noisy()).save(tmp_path / "d" / "a.png")
    Image.fromarray(noisy(channels=1)[..., 0]).save(tmp_path / "d" / "b.webp", lossless=True)
    (tmp_path / "d" / "notes.txt").write_text("no picture")
    found = pictures.load([str(tmp_path / "d")])
    assert [array.shape for array in found] == [(48, 48, 3), (48, 48, 3)]  # WebP has no grey
    assert np.array_equal(found[0], noisy())
    with pytest.raises(UsageError, match="no folder with pictures"):
        pictures.load([str(tmp_path / "nothing")])
    (tmp_path / "d" / "c.png").write_bytes(b"\x89PNG and nothing more")
    with pytest.raises(UsageError, match=r"c\.png"):
        pictures.load([str(tmp_path / "d")])


def test_stacks_of_squares() -> None:
    made = pictures.stacked([noisy(28, 28, 1, 1), noisy(32, 32, 3), noisy(28, 28, 1, 2)])
    assert [array.shape for array in made] == [(56, 28, 1), (32, 32, 3)]
    recipe = pictures.Recipe(mirrored=0, jpeg=0, grey=0, halves=0, piece=30)
    tall = np.repeat(np.arange(28, dtype=np.uint8), 28).reshape(28, 28, 1)
    random = np.random.default_rng(0)
    pieces = [pictures.piece(np.concatenate([tall] * 9), recipe, random) for _ in range(20)]
    assert {int(part[0, 0, 0]) for part in pieces} == {0}  # each begins where a square does


def test_pieces_are_varied() -> None:
    random = np.random.default_rng(1)
    recipe = pictures.Recipe(piece=32, jpeg=0.5, grey=0.3, halves=0.5)
    pieces = [pictures.piece(noisy(80, 90), recipe, random) for _ in range(60)]
    assert {part.shape for part in pieces} == {(32, 32, 3), (32, 32, 1)}
    assert len({part.tobytes() for part in pieces}) > 40


def trainer(minutes: float = 0.03, **more: object) -> pictures.Trainer:
    recipe = pictures.Recipe(minutes=minutes, **{**QUICK, **more})  # type: ignore[arg-type]
    return pictures.Trainer(Design.of("pixels", **SMALL), recipe, [noisy(), noisy(60, 50, 1, 3)], [noisy(seed=5)])


def test_training_lowers_the_bill() -> None:
    one = trainer(60, rate=0.01)
    before = one.validate()
    for _ in range(150):
        one.advance()
    after = one.validate()
    assert before is not None
    assert after is not None
    assert np.log2(12) - 0.1 < after < before - 0.05  # the noise is one of twelve


def test_training_goes_on(tmp_path: Path) -> None:
    one = trainer()
    reports: list[pictures.Report] = []
    one.run(tmp_path / "c", tmp_path / "curve.csv", reports.append)
    after = reports[-1].valid_bpd
    rows = (tmp_path / "curve.csv").read_text().splitlines()
    assert rows[0] == "step,seconds,samples,train_bpd,valid_bpd"
    again = trainer(0.05)
    again.resume(tmp_path / "c")
    assert again.validate() == pytest.approx(after)
    again.run(tmp_path / "c", tmp_path / "curve.csv", reports.append)
    assert reports[-1].step > one.step
    assert len((tmp_path / "curve.csv").read_text().splitlines()) > len(rows)
    other = pictures.Trainer(Design.of("pixels", **{**SMALL, "width": 12}), pictures.Recipe(), [noisy()], [])
    with pytest.raises(UsageError, match="another network"):
        other.resume(tmp_path / "c")
    assert other.validate() is None


def test_a_written_model_is_the_trained_one(tmp_path: Path) -> None:
    one = trainer()
    one.advance()
    path = tmp_path / "m.safetensors"
    write_pixel_model(one.export(), one.design, path)
    model = load(path)
    assert model.design == one.design
    assert all(np.array_equal(model.tensors[name], array) for name, array in one.export().items())
    assert family.inputs(model.design.config) == model.design.stacks().stacks[0].inputs
