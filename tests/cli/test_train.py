from __future__ import annotations

import json
import os
from pathlib import Path

from PIL import Image

import arcodec
from arcodec.models import store
from tests.cli.conftest import Run
from tests.training import test_pictures as pictures

SMALL = (
    "--config",
    "width=16",
    "--config",
    "rows_log2=6",
    "--config",
    "row_width=4",
    "--recipe",
    "lanes=2",
    "--recipe",
    "warmup=3",
    "--recipe",
    "rate=0.02",
)


def test_train_compress_and_resume(run: Run) -> None:
    Path("text").write_bytes(b"peter piper picked a peck of pickled pepper. " * 200)
    arguments = ("train", "text", "text", "-o", "m.safetensors", "--valid", "text", *SMALL)
    result = run(*arguments, "--minutes", "0.03")
    assert result.code == 0
    assert "bpb" in result.err
    assert Path("m.safetensors.csv").read_text().startswith("step,seconds,symbols,train_bpb,valid_text_bpb")
    assert run(*arguments, "--minutes", "0.03").code == 2  # would begin again over a checkpoint
    assert run(*arguments, "--minutes", "0.15", "--resume").code == 0
    assert run("compress", "--no-mix", "text", "--model", "m.safetensors").code == 0
    assert run("decompress", "text.arc", "-f").code == 5
    assert run("decompress", "text.arc", "-f", "--model", "m.safetensors").code == 0
    assert arcodec.decompress(Path("text.arc").read_bytes(), model="m.safetensors") == Path("text").read_bytes()


def test_train_from_a_model(run: Run) -> None:
    Path("text").write_bytes(b"peter piper picked a peck of pickled pepper. " * 200)
    few = ("--recipe", "lanes=2", "--minutes", "0.01")
    assert run("train", "text", "text", "-o", "m.safetensors", *SMALL, "--valid", "text", "--minutes", "0.05").code == 0
    begun = run("train", "text", "text", "-o", "n.safetensors", "--from", "m.safetensors", "--valid", "text", *few)
    assert begun.code == 0
    first, again = (
        float(curve.read_text().split()[1].split(",")[3])
        for curve in (Path("m.safetensors.csv"), Path("n.safetensors.csv"))
    )
    assert again < first
    for wrong, word in (
        ("--config=width=9", "width is 16, not 9"),
        ("--family=attention", "do not describe another"),
    ):
        refused = run("train", "text", "text", "-o", "o.safetensors", "--from", "m.safetensors", wrong)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert word in refused.err
    assert run("train", "text", "text", "-o", "o.safetensors", "--from", "photographs", *few).code == 2
    assert run("train", "text", "text", "-o", "o.safetensors", "--from", "nobody", *few).code == 5


def test_fine_tune(run: Run) -> None:
    Path("text").write_bytes(b"peter piper picked a peck of pickled pepper. " * 200)
    quick = ("--recipe", "lanes=2", "--recipe", "steps=16", "--minutes", "0.02")
    tune = ("train", "text", "text", "--fine-tune", *quick)
    assert run("train", "text", "text", "-o", "base.safetensors", *SMALL, *quick).code == 0
    size = Path("base.safetensors").stat().st_size
    made = run(*tune, "-o", "mine.safetensors", "--from", "base.safetensors")
    assert made.code == 0
    assert "it is read together with" in made.err
    assert Path("mine.safetensors").stat().st_size < size / 4
    assert run(*tune, "-o", "again.safetensors", "--from", "mine.safetensors").code == 0
    base = store.find("base.safetensors")
    for name in ("mine", "again"):
        assert store.find(f"{name}.safetensors").base is base  # of a fine-tuned one, what that was begun with
    assert run("compress", "text", "--model", "mine.safetensors").code == 0
    assert run("decompress", "text.arc", "-o", "back", "--model", "mine.safetensors").code == 0
    assert Path("back").read_bytes() == Path("text").read_bytes()
    Path("base.safetensors").rename("away")
    os.utime("mine.safetensors", ns=(1, 1))  # so that it is read again
    for command in (("decompress", "text.arc", "-f"), ("test", "text.arc"), ("compress", "-f", "text")):
        refused = run(*command, "--model", "mine.safetensors")
        assert (refused.code, refused.err.count("\n")) == (5, 1)
        assert "fine-tuned from model" in refused.err


def test_fine_tuning_what_ships_makes_a_small_file(run: Run) -> None:
    Path("text").write_bytes(b"peter piper picked a peck of pickled pepper. " * 200)
    few = ("--recipe", "lanes=2", "--recipe", "steps=16", "--minutes", "0.01", "--fine-tune")
    made = run("train", "text", "text", "-o", "mine.safetensors", "--from", "text", *few)
    assert made.code == 0
    assert "read together" not in made.err
    assert Path("mine.safetensors").stat().st_size < 800_000
    entries = {entry["name"]: entry for entry in json.loads(run("models", "--json").out)}
    assert entries["text-docs"]["base"] == entries["text"]["sha256"]
    assert (entries["text-docs"]["tried"], entries["text"]["tried"]) == (True, False)


def test_a_larger_network_on_the_tables_of_a_smaller_one(run: Run) -> None:
    Path("text").write_bytes(b"peter piper picked a peck of pickled pepper. " * 200)
    quick = ("--recipe", "lanes=2", "--recipe", "steps=16", "--minutes", "0.02")
    assert run("train", "text", "text", "-o", "base.safetensors", *SMALL, *quick).code == 0
    larger = ("--from", "base.safetensors", "--config", "width=48", "--config", "blocks=2")
    assert run("train", "text", "text", "--fine-tune", *larger, *quick, "-o", "large.safetensors").code == 0
    base, large = (store.find(f"{name}.safetensors") for name in ("base", "large"))
    assert large.base is base
    assert (large.design.config.width, large.design.config.blocks) == (48, 2)
    assert large.tensors["embed.table"] is base.tensors["embed.table"]
    assert run("train", "text", "text", "-o", "old.safetensors", *SMALL, *quick, "--config=followers=0").code == 0
    other = ("--from", "old.safetensors", "--config", "followers=9")
    refused = run("train", "text", "text", "--fine-tune", *other, *quick, "-o", "o.safetensors")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "--fine-tune keeps the tables of old: this network would read others" in refused.err
    assert run("compress", "text", "--model", "large.safetensors").code == 0
    assert run("test", "text.arc", "--model", "large.safetensors").code == 0


def test_fine_tuning_refuses(run: Run) -> None:
    Path("text").write_bytes(b"peter piper picked a peck of pickled pepper. " * 200)
    quick = ("--recipe", "lanes=2", "--recipe", "steps=16", "--minutes", "0.01")
    for seed, name in enumerate(("one", "two")):
        begun = run("train", "text", "text", "-o", f"{name}.safetensors", *SMALL, *quick, f"--seed={seed}")
        assert begun.code == 0
    kept = Path("one.safetensors").read_bytes()
    Path("one.safetensors.checkpoint").unlink()
    assert (
        run("train", "text", "text", *quick, "-o", "m.safetensors", "--from=one.safetensors", "--fine-tune").code == 0
    )
    for wrong, word in (
        (("--fine-tune",), "give it with --from"),
        (("--fine-tune", "--from=one.safetensors", "--config=followers=3"), "its followers is 9, not 3"),
        (("--fine-tune", "--from=one.safetensors", "--config=width=8"), "its width is 16, not 8"),
        (("--fine-tune", "--from=one.safetensors", "-o", "one.safetensors"), "give another -o"),
        (("--from=one.safetensors", "--recipe=fine_tune=true"), "give --fine-tune"),
        (
            ("--fine-tune", "--from=two.safetensors", "--resume", "-o", "m.safetensors"),
            "not begun with two.safetensors",
        ),
        (("--from=one.safetensors", "--resume", "-o", "m.safetensors"), "begun with --fine-tune: go on so"),
    ):
        refused = run("train", "text", "text", "-o", "o.safetensors", *quick, *wrong)
        assert (refused.code, refused.err.count("\n")) == (2, 1), wrong
        assert word in refused.err
    assert Path("one.safetensors").read_bytes() == kept


def test_train_on_images(run: Run) -> None:
    Image.fromarray(pictures.noisy()).save("a.png")
    settings = [f"--config={name}={value}" for name, value in pictures.SMALL.items()]
    settings += [f"--recipe={name}={value}" for name, value in pictures.QUICK.items()]
    done = run("train", "images", "a.png", "--valid", "a.png", "-o", "m.safetensors", "--minutes", "0.02", *settings)
    assert done.code == 0
    assert "bits/dim" in done.err
    assert Path("m.safetensors.csv").is_file()
    assert run("compress", "a.png", "--model", "m.safetensors").code == 0
    assert run("train", "images", "a.png", "-o", "m.safetensors").code == 2  # there is a checkpoint
    assert run("train", "images", "a.png", "-o", "m.safetensors", "--resume", "--config", "width=9").code == 2
    quick = [word for word in settings if word.startswith("--recipe")]
    start = ("--from", "m.safetensors", "--minutes", "0.01", "--recipe", "rate=1e-6")
    begun = run("train", "images", "a.png", "--valid", "a.png", "-o", "n.safetensors", *quick, *start)
    assert begun.code == 0
    first, again = (
        float(Path(f"{name}.safetensors.csv").read_text().split()[-1].split(",")[-1]) for name in ("m", "n")
    )
    assert abs(again - first) < 0.02  # that far it had come
    assert run("train", "images", "a.png", "-o", "o.safetensors", *start, *settings).code == 2
    assert run("train", "images", "a.png", "-o", "o.safetensors", "--from", "text").code == 2
    assert run("train", "images", "a.png", "-o", "m.txt").code == 2
    assert run("train", "images", "a.png", "-o", "n.safetensors", "--recipe", "nonsense=1").code == 2
    assert run("train", "images", "missing", "-o", "n.safetensors").code == 2
