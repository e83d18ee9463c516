from __future__ import annotations

from pathlib import Path

import arcodec
from tests.cli.conftest import Run

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
