"""``arcodec ledger`` and ``arcodec sample``."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arcodec
from arcodec import sources
from arcodec.models.file import Model
from tests.cli.conftest import Run

TEXT = b"Every bit of a file went somewhere, and somebody ought to know where. " * 30
KINDS = {
    "text": TEXT,
    "tiny": b"x",
    "empty": b"",
    "stored": random.Random(1).randbytes(3000),
    "half": TEXT + random.Random(2).randbytes(4000),
    "table": b"".join(b"%05d;%07.3f;%s\n" % (i, i * 0.37, b"yes" if i % 3 else b"no") for i in range(200)),
    "picture": sources.parse("image:alphabet=64,width=40").sample(2000, 1).tobytes(),
    "zeros": bytes(5000),
    "utf-8": "Žluťoučký kůň úpěl ďábelské ódy. ".encode() * 20,
    "binary": np.arange(1500, dtype="<u4").tobytes(),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("packed", [False, True])
def test_nothing_is_unexplained(run: Run, name: str, packed: bool) -> None:
    content = arcodec.compress(KINDS[name], "none", block_size=2500)
    Path("a").write_bytes(content if packed else KINDS[name])
    result = run("ledger", "a", "--json", *([] if packed else ["--model", "none"]))
    assert result.code == 0, result.err
    (ledger,) = json.loads(result.out)["ledgers"].values()
    assert ledger["unexplained_bits"] == 0
    assert sum(ledger["lines_bits"].values()) == 8 * ledger["file_bytes"]
    if packed:
        assert ledger["file_bytes"] == len(content)
    assert "unexplained" in run("ledger", "a", "--preset", "fast").out.decode()


def test_several_models_stand_side_by_side(run: Run) -> None:
    Path("a").write_bytes(TEXT)
    models = ["--model", "small-recurrent", "--model", "small-attention"]
    columns = json.loads(run("ledger", "a", "--json", "--no-mix", *models).out)
    first, second = columns["ledgers"].values()
    assert columns["reference"] == "small-recurrent"
    difference = (second["cross_entropy_bits"] - first["cross_entropy_bits"]) / len(TEXT)
    assert columns["kl_difference_bits_per_byte"]["small-attention"] == pytest.approx(difference)
    table = run("ledger", "a", "--no-mix", *models, "--reference", "small-convolution").out.decode()
    assert "KL less that of small-convolution" in table
    assert table.count("small-") == 4
    assert f"{first['cross_entropy_bits']:,.1f}" in table


def test_a_packed_file_beside_other_models(run: Run) -> None:
    Path("a").write_bytes(arcodec.compress(TEXT, preset="fast"))
    ledgers = json.loads(run("ledger", "a", "--json", "--model", "none").out)["ledgers"]
    assert list(ledgers) == ["the file", "none"]
    assert ledgers["none"]["original_bytes"] == len(TEXT)


@pytest.mark.parametrize("output", ["bits.npy", "bits.csv"])
def test_costs_of_every_symbol(run: Run, output: str) -> None:
    Path("a").write_bytes(KINDS["half"])
    ledger = json.loads(run("ledger", "a", "--json", "--preset", "fast", "--per-symbol", output).out)["ledgers"]["fast"]
    if output.endswith("npy"):
        bits = np.load(output)
    else:
        rows = np.loadtxt(output, delimiter=",", skiprows=1)
        assert rows[:, 1].astype(np.uint8).tobytes() == KINDS["half"]
        bits = rows[:, 2]
    expected = ledger["cross_entropy_bits"] + ledger["lines_bits"].get("stored without coding", 0)
    assert bits.shape == (len(KINDS["half"]),)
    assert bits.sum() == pytest.approx(expected, abs=0.01)


def test_the_source_parts_the_cross_entropy(run: Run) -> None:
    sample = run("sample", "markov:order=1,alphabet=3", "-n", "60000", "--seed", "5").out
    assert sample == sources.parse("markov:order=1,alphabet=3").sample(60_000, 5).tobytes()
    Path("a").write_bytes(sample)
    arguments = ["ledger", "a", "--preset", "fast", "--source", "markov:order=1,alphabet=3"]
    ledger = json.loads(run(*arguments, "--json").out)["ledgers"]["fast"]
    source, lines = ledger["source"], ledger["lines_bits"]
    assert "model cross-entropy" not in lines
    information, excess = lines["information under the source"], lines["excess of the model over it"]
    assert information + excess == ledger["cross_entropy_bits"]
    assert excess > 0
    assert information == pytest.approx(source["entropy_rate"]["value"] * 60_000, rel=0.02)
    assert source["excess_rate"]["value"] == pytest.approx(excess / 60_000)
    assert "(exact) bits/symbol" in run(*arguments).out.decode()


def test_a_short_sample_has_no_interval(run: Run) -> None:
    Path("a").write_bytes(bytes(sources.parse("bernoulli").sample(900, 1)))
    assert "excess per symbol:" in run("ledger", "a", "--preset", "fast", "--source", "bernoulli").out.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a", "--source", "bernoulli"], 2, "is no symbol of the source"),
        (["zeros", "--source", "bernoulli:p=1"], 2, "cannot have come from the source"),
        (["a", "--source", "dice"], 2, "no source 'dice'"),
        (["a", "a", "--per-symbol", "x"], 2, "one FILE"),
        (["missing"], 1, "missing"),
        (["broken"], 4, "damaged"),
        (["a", "--model", "no-such-model"], 5, "no-such-model"),
    ],
)
def test_errors(run: Run, arguments: list[str], code: int, message: str) -> None:
    Path("a").write_bytes(TEXT)
    Path("zeros").write_bytes(bytes(2000))
    broken = bytearray(arcodec.compress(TEXT, preset="fast"))
    broken[40] ^= 1
    Path("broken").write_bytes(broken)
    preset = [] if "--model" in arguments else ["--preset", "fast"]
    result = run("ledger", *arguments, *preset)
    assert result.code == code
    assert message in result.err
    assert result.err.count("\n") == 1


def test_sampling_from_nothing_known(run: Run) -> None:
    result = run("sample", "dice")
    assert (result.code, result.err.count("\n")) == (2, 1)


def test_ledger_of_pictures(run: Run) -> None:
    samples = np.random.default_rng(1).integers(90, 99, (12, 14, 3), np.uint8)
    Image.fromarray(samples).save("a.png")
    plain = json.loads(run("ledger", "a.png", "--json", "--per-symbol", "bits.npy").out)["ledgers"]["default"]
    assert plain["dimensions"] == samples.size
    assert plain["unexplained_bits"] == 0
    assert set(plain["channels_bits"]) == {"red", "green", "blue"}
    assert np.load("bits.npy").shape == samples.shape
    assert run("compress", "a.png", "--model", "none").code == 0
    packed = json.loads(run("ledger", "a.png.arc", "--json", "--per-symbol", "bits.csv").out)["ledgers"]["the file"]
    assert packed["file_bytes"] == Path("a.png.arc").stat().st_size
    rows = Path("bits.csv").read_text().splitlines()
    assert len(rows) == 1 + samples.size
    assert [row.split(",")[1] for row in rows[1:4]] == [str(value) for value in samples[0, 0]]
    both = json.loads(run("ledger", "a.png", "--json", "--model", "none", "--model", "photographs").out)
    assert set(both["ledgers"]) == {"none", "photographs"}
    as_bytes = json.loads(run("ledger", "a.png", "--json", "--media", "bytes").out)["ledgers"]["default"]
    assert as_bytes["dimensions"] == 0


def test_nothing_is_overwritten_unasked(run: Run) -> None:
    Path("a").write_bytes(TEXT)
    refused = run("ledger", "a", "--preset", "fast", "--per-symbol", "a")
    assert refused.code == 2
    assert "a exists: give -f" in refused.err
    assert Path("a").read_bytes() == TEXT
    assert "no such folder" in run("ledger", "a", "--per-symbol", "nowhere/x.npy").err
    assert run("ledger", "a", "--preset", "fast", "--per-symbol", "x.npy").code == 0
    assert run("ledger", "a", "--preset", "fast", "--per-symbol", "x.npy", "-f").code == 0


def test_a_model_that_was_left_out_is_called_so(run: Run) -> None:
    Path("a").write_bytes(random.Random(3).randbytes(300) * 20)
    columns = json.loads(run("ledger", "a", "--json", "--model", "none", "--model", "text").out)["ledgers"]
    assert set(columns) == {"none", "text (left out)"}


def test_partly_stored_deep_pictures_have_an_account(run: Run) -> None:
    noise = np.random.default_rng(1).integers(0, 65536, (40, 32), np.uint16)
    noise[20:] = 7
    Path("a.arc").write_bytes(arcodec.compress_image(noise, preset="fast", block_size=320))
    figures = run("ledger", "a.arc")
    assert figures.code == 0
    assert "bits/dim" in figures.out.decode()


def test_several_models_against_a_source(run: Run) -> None:
    Path("a").write_bytes(sources.parse("english").sample(5000, 3).tobytes())
    done = run("ledger", "a", "--model", "none", "--model", "text", "--source", "english").out.decode()
    assert done.count("source english: entropy rate 4.104222 (exact)") == 2
    assert "KL less that of none, bits/byte" in done


def test_costs_of_a_named_model_and_not_of_the_file(run: Run) -> None:
    Path("a.arc").write_bytes(arcodec.compress(TEXT, preset="fast"))
    assert run("ledger", "a.arc", "--model", "none", "--per-symbol", "bits.npy").code == 0
    expected = arcodec.measure(TEXT, "none").model_bits
    assert np.load("bits.npy").sum() == pytest.approx(expected, abs=0.01)


def test_differences_of_pictures_are_of_dimensions(run: Run) -> None:
    Image.fromarray(np.random.default_rng(1).integers(90, 99, (12, 14, 3), np.uint8)).save("a.png")
    columns = json.loads(run("ledger", "a.png", "--json", "--model", "none", "--model", "photographs").out)
    assert columns["kl_difference_bits_per_dimension"]["none"] == 0


def test_a_picture_kept_as_bytes_is_compared_as_bytes(run: Run) -> None:
    Image.fromarray(np.random.default_rng(1).integers(90, 99, (12, 14, 3), np.uint8)).save("a.png")
    assert run("compress", "a.png", "--media", "bytes", "--preset", "fast").code == 0
    columns = json.loads(run("ledger", "a.png.arc", "--json", "--model", "none").out)["ledgers"]
    assert [ledger["dimensions"] for ledger in columns.values()] == [0, 0]


def test_stored_symbols_cost_eight_bits_each(run: Run) -> None:
    spec = "categorical:" + ",".join(["0.00390625"] * 256)
    Path("a").write_bytes(sources.parse(spec).sample(20_000, 1).tobytes())
    arguments = ["ledger", "a", "--preset", "fast", "--source", spec]
    ledger = json.loads(run(*arguments, "--json").out)["ledgers"]["fast"]
    assert ledger["source"]["symbols"] == 20_000
    assert ledger["lines_bits"]["information under the source"] == pytest.approx(160_000)
    assert ledger["lines_bits"]["excess of the model over it"] == pytest.approx(0, abs=1e-3)
    assert ledger["unexplained_bits"] == 0
    assert "and 160,000 bits that were stored" in run(*arguments).out.decode()


def test_values_of_deep_pictures_are_their_own(run: Run) -> None:
    deep = (300 * np.arange(20)[:, None] + 200 * np.arange(30)).astype(np.uint16)
    Image.fromarray(deep).save("a.png")
    assert run("ledger", "a.png", "--preset", "fast", "--per-symbol", "bits.csv").code == 0
    values = [int(row.split(",")[1]) for row in Path("bits.csv").read_text().splitlines()[1:]]
    assert values == deep.ravel().tolist()


def test_a_reference_may_have_any_name(run: Run, small_model: Model) -> None:
    Path("m (1).safetensors").write_bytes(small_model.path.read_bytes())
    Path("a").write_bytes(TEXT)
    models = ["--model", "none", "--reference", "m (1).safetensors"]
    assert "KL less that of m (1).safetensors" in run("ledger", "a", *models).out.decode()


def test_members_by_different_experts_have_no_common_account_of_them(run: Run) -> None:
    Path("a.arc").write_bytes(arcodec.compress(TEXT, "none") + arcodec.compress(TEXT, preset="fast"))
    (ledger,) = json.loads(run("ledger", "a.arc", "--json").out)["ledgers"].values()
    assert ledger["unexplained_bits"] == 0
    assert ledger["experts_alone_bits"] == ledger["experts_shares"] == {}


def test_a_source_is_not_compared_with_a_picture(run: Run) -> None:
    Path("a.arc").write_bytes(arcodec.compress_image(np.zeros((9, 9), np.uint8), preset="fast"))
    done = run("ledger", "a.arc", "--source", "image:alphabet=256,width=9")
    assert (done.code, "holds a picture" in done.err) == (2, True)
