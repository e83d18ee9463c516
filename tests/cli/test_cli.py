"""The command as a person or a pipeline meets it: conventions, exit codes, one line an error."""

from __future__ import annotations

import dataclasses
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from arcodec_cli.main import SUBCOMMANDS

import arcodec
from arcodec import container
from tests.cli.conftest import Result, Run

SMALL = ("--model", "small-recurrent")
DATA = b"A message costs less on the whole although some of its letters cost more. " * 15


def test_round_trip_of_files(run: Run) -> None:
    Path("a.txt").write_bytes(DATA)
    os.utime("a.txt", ns=(10**18, 10**18))
    os.chmod("a.txt", 0o600)
    assert run("compress", "a.txt", *SMALL).code == 0
    assert Path("a.txt").exists()
    assert Path("a.txt.arc").stat().st_mtime_ns == 10**18
    assert Path("a.txt.arc").stat().st_mode & 0o777 == 0o600
    Path("a.txt").unlink()
    result = run("decompress", "a.txt.arc")
    assert (result.code, result.out, result.err) == (0, b"", "")
    assert Path("a.txt").read_bytes() == DATA
    assert Path("a.txt").stat().st_mtime_ns == 10**18
    assert Path("a.txt.arc").exists()


def test_round_trip_of_pipes(run: Run) -> None:
    packed = run("compress", *SMALL, stdin=DATA)
    assert packed.code == 0
    assert run("decompress", stdin=packed.out).out == DATA
    assert run("compress", "-", *SMALL, stdin=DATA).out == packed.out
    assert arcodec.decompress(packed.out) == DATA


def test_to_standard_output_and_to_a_name(run: Run) -> None:
    Path("a").write_bytes(DATA)
    packed = run("compress", "-c", "a", *SMALL)
    assert not Path("a.arc").exists()
    assert run("compress", "a", "-o", "b.bin", *SMALL).code == 0
    assert Path("b.bin").read_bytes() == packed.out
    assert run("decompress", "b.bin", "-o", "c").code == 0
    assert Path("c").read_bytes() == DATA
    assert run("cat", "b.bin", "b.bin").out == DATA * 2
    assert run("cat", "b.bin", *SMALL).out == DATA
    assert run("decompress", "b.bin", "-o", "-").out == DATA
    assert run("compress", "-o", "d.arc", *SMALL, stdin=DATA).code == 0
    assert Path("d.arc").read_bytes() == packed.out


def test_sources_are_removed_only_on_request(run: Run) -> None:
    Path("a").write_bytes(DATA)
    assert run("compress", "--rm", "a", *SMALL).code == 0
    assert sorted(os.listdir()) == ["a.arc"]
    assert run("decompress", "--rm", "a.arc").code == 0
    assert sorted(os.listdir()) == ["a"]


def test_a_source_that_changed_meanwhile_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from arcodec import codec

    Path("a").write_bytes(DATA)
    measured = codec.measured

    def slowly(*args: object, **settings: object) -> object:
        done = measured(*args, **settings)  # type: ignore[arg-type]
        with open("a", "ab") as file:
            file.write(b"one more line")
        return done

    monkeypatch.setattr(codec, "measured", slowly)
    result = run("compress", "--rm", "a", *SMALL)
    assert result.code == 2
    assert "changed" in one_line(result)
    assert Path("a").read_bytes() == DATA + b"one more line"


def test_nothing_is_overwritten_without_force(run: Run) -> None:
    Path("a").write_bytes(DATA)
    Path("a.arc").write_bytes(b"precious")
    result = run("compress", "a", *SMALL)
    assert result.code == 2
    assert "a.arc exists: give -f" in result.err
    assert Path("a.arc").read_bytes() == b"precious"
    assert run("compress", "-f", "a", *SMALL).code == 0
    assert run("decompress", "a.arc").code == 2
    assert run("decompress", "-f", "a.arc").code == 0


def test_folders(run: Run) -> None:
    Path("d/e").mkdir(parents=True)
    Path("d/x").write_bytes(b"x")
    Path("d/e/y").write_bytes(b"y")
    result = run("compress", "d", *SMALL)
    assert result.code == 2
    assert "-r" in result.err
    assert run("compress", "-r", "--rm", "d", *SMALL).code == 0
    assert sorted(str(p) for p in Path("d").rglob("*.arc")) == ["d/e/y.arc", "d/x.arc"]
    assert run("decompress", "-r", "d").code == 0
    assert Path("d/e/y").read_bytes() == b"y"
    assert run("test", "-r", "d").err == "d/e/y.arc: ok\nd/x.arc: ok\n"
    assert [entry["file"] for entry in json.loads(run("list", "-r", "--json", "d").out)] == ["d/e/y.arc", "d/x.arc"]
    assert run("compress", "-r", "-f", "d", *SMALL).code == 0  # does not compress .arc files again
    assert not list(Path("d").rglob("*.arc.arc"))


@pytest.mark.parametrize("subcommand", ["compress", "decompress", "test", "list", "cat", "ledger"])
@pytest.mark.parametrize("name", ["", ".", "/"])
def test_what_is_no_file_is_refused_in_one_line(run: Run, subcommand: str, name: str) -> None:
    result = run(subcommand, name)
    assert result.code == 2
    assert ("empty name" if name == "" else f"{name} is a folder") in one_line(result)


def test_a_folder_is_never_the_output(run: Run) -> None:
    Path("a").write_bytes(DATA)
    Path("d").mkdir()
    for force in ([], ["-f"]):
        result = run("compress", "a", "-o", "d", *force, *SMALL)
        assert (result.code, one_line(result)) == (2, "arcodec: d is a folder: name a file\n")


def test_some_of_several_inputs_fail(run: Run) -> None:
    Path("a").write_bytes(DATA)
    result = run("compress", "missing", "a", *SMALL)
    assert result.code == 3
    assert result.err == "arcodec: missing: No such file or directory\n"
    assert Path("a.arc").exists()
    assert run("test", "a.arc", "missing").code == 3


def one_line(result: Result) -> str:
    assert result.err.startswith("arcodec: ")
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    return result.err


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["compress", "missing"], 1, "No such file"),
        (["compress", "--nonsense"], 2, "--nonsense"),
        (["nonsense"], 2, "nonsense"),
        (["compress", "a", "b", "-o", "c"], 2, "-o names one output"),
        (["compress", "a", "--rm", "-k"], 2, "--rm removes"),
        (["compress", "a", "--rm", "-c"], 2, "--rm removes"),
        (["compress", "a", "--rm", "--no-verify"], 2, "verification"),
        (["compress", "a", "--rm", "-f", "-o", "/dev/null"], 2, "would lose"),
        (["compress", "a", "--model", "nobody"], 5, "no model 'nobody': known by name are"),
        (["compress", "a", "--model", "text-pyton"], 5, "no model 'text-pyton': did you mean text-python?"),
        (["compress", "a", "--block-size", "lots"], 2, "not a size"),
        (["compress", "a", "--block-size", "17M"], 2, "block size"),
        (["compress", "a", "--device", "warp"], 2, "device"),
        (["compress", "a", "-o", "nowhere/b"], 1, "nowhere"),
        (["compress", "a", "-o", "a", "-f"], 2, "its own result"),
        (["compress", "x.arc"], 2, "already ends in .arc"),
        (["decompress", "a"], 2, "does not end in .arc"),
        (["decompress", "bad.arc"], 4, "not an .arc file"),
        (["decompress", "cut.arc"], 4, "cut off"),
        (["decompress", "alien.arc"], 5, "needs model"),
        (["decompress", "x.arc", "--max-output-size", "10", "-o", "y"], 6, "more than the 10"),
        (["test", "bad.arc"], 4, "bad.arc"),
        (["test"], 2, "FILE"),
        (["list", "bad.arc"], 4, "bad.arc"),
        (["cat", "bad.arc"], 4, "bad.arc"),
        (["cat", "x.arc", "--max-output-size", "10"], 6, "more than the 10"),
        (["test", "x.arc", "--max-output-size", "10"], 6, "more than the 10"),
        (["train", "text", "missing", "-o", "m.safetensors"], 2, "missing"),
        (["train", "text", "a", "-o", "m.bin"], 2, ".safetensors"),
        (["train", "text", "a", "-o", "no/m.safetensors"], 2, "no such folder"),
        (["train", "text", "a", "-o", "m.safetensors", "--config", "width"], 2, "NAME=VALUE"),
        (["train", "text", "a", "-o", "m.safetensors", "--recipe", "lens=3"], 2, "lens"),
        (["train", "text", "a", "-o", "m.safetensors", "--resume"], 2, "no checkpoint"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_errors_are_one_line_and_a_code(run: Run, arguments: list[str], code: int, what: str) -> None:
    Path("a").write_bytes(DATA)
    run("compress", "a", "-o", "x.arc", *SMALL)
    good = Path("x.arc").read_bytes()
    Path("bad.arc").write_bytes(b"not at all")
    Path("cut.arc").write_bytes(good[:-3])
    (member,) = container.members(good)
    alien = dataclasses.replace(member.header, model=b"\1\2\3\4")
    Path("alien.arc").write_bytes(container.pack(alien, member.blocks, member.check))
    before = sorted(os.listdir())
    result = run(*arguments)
    assert result.code == code
    assert what in one_line(result)
    assert sorted(os.listdir()) == before  # nothing half-written, nothing lost


def test_verbose_prints_the_account(run: Run) -> None:
    Path("a").write_bytes(DATA)
    result = run("compress", "-v", "a", *SMALL)
    size = Path("a.arc").stat().st_size
    assert f"{size:,} bytes" in result.err
    assert "model cross-entropy" in result.err
    assert ["unexplained", "0.0"] in [line.split() for line in result.err.splitlines()]
    assert "KB/s" in run("decompress", "-v", "-f", "a.arc").err


def test_list(run: Run) -> None:
    Path("a").write_bytes(DATA)
    run("compress", "a", "--block-size", "500", *SMALL)
    (entry,) = json.loads(run("list", "--json", "a.arc").out)
    assert entry["original_bytes"] == len(DATA)
    assert entry["file_bytes"] == Path("a.arc").stat().st_size
    assert entry["blocks"] == 3
    assert entry["models"][0]["name"] == "small-recurrent"
    table = run("list", "a.arc").out.decode()
    assert "small-recurrent" in table
    assert "a.arc" in table


def test_test(run: Run) -> None:
    Path("a").write_bytes(DATA)
    run("compress", "a", *SMALL)
    assert run("test", "a.arc").err == "a.arc: ok\n"
    damaged = bytearray(Path("a.arc").read_bytes())
    damaged[len(damaged) // 2] ^= 4
    Path("a.arc").write_bytes(damaged)
    result = run("test", "a.arc")
    assert result.code == 4
    assert "a.arc" in one_line(result)


def test_models_and_doctor(run: Run) -> None:
    names = {entry["name"] for entry in json.loads(run("models", "--json").out)}
    assert {"small-recurrent", "small-convolution", "small-attention"} <= names
    lines = run("models").out.decode().splitlines()
    assert "small-attention" in "".join(lines)
    assert max(len(line) for line in lines if not line.startswith("in ")) <= 80
    place = {line.split()[0]: i for i, line in enumerate(lines) if line}
    apart = next(
        i for i, line in enumerate(lines) if line.endswith("weights, to read what they wrote, and to compare:")
    )
    assert place["text"] < apart < place["text-1"] < place["text-attention"]
    result = run("doctor")
    assert result.code == 0
    lines = result.out.decode().splitlines()
    for family in ("recurrent", "convolution", "attention"):
        for engine in ("compiled", "torch cpu float32", "torch cpu int8"):
            assert any(line.startswith(f"small-{family}") and engine in line and " same " in line for line in lines)
    assert sum(line.startswith(("experts", "range coder")) and line.endswith("same") for line in lines) == 8


def test_doctor_names_a_model_that_differs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from arcodec.models import file

    monkeypatch.setattr(file, "digest", lambda frequencies: "other")
    result = run("doctor", "--no-torch")
    assert result.code == 5
    assert "DIFFERENT" in result.out.decode()


def test_a_bad_model_does_not_hide_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("junk.safetensors").write_bytes(b"junk")
    monkeypatch.setenv("ARCODEC_MODELS", os.environ["ARCODEC_MODELS"] + os.pathsep + ".")
    result = run("models")
    assert result.code == 3
    assert "junk" in one_line(result)
    assert b"small-recurrent" in result.out
    result = run("doctor", "--no-torch")
    assert result.code == 5
    assert "junk" in result.err
    assert b"small-recurrent" in result.out


def test_sizes(run: Run) -> None:
    Path("a").write_bytes(DATA)
    for size in ("1K", "1k", "1KB", "1KiB", "1024"):
        assert run("compress", "-f", "a", "--block-size", size, *SMALL).code == 0
        assert json.loads(run("list", "--json", "a.arc").out)[0]["blocks"] == 2


def test_help_of_everything(run: Run) -> None:
    for name in SUBCOMMANDS:
        result = run(name, "--help")
        assert result.code == 0
        assert b"Usage" in result.out
    text = run("--help").out.decode()
    for line in SUBCOMMANDS.values():
        assert line in text
    assert run("--version").out.decode().split()[-1] == arcodec.__version__


# What needs a process of its own.


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "arcodec_cli", *arguments]


def test_help_loads_nothing_heavy() -> None:
    for modules, heavy in (
        ("arcodec, arcodec_cli.main", ("torch", "numba", "rich")),
        ("arcodec.models.store", ("torch", "numba")),  # to list models, or files
    ):
        code = f"import sys, {modules}; print([m for m in {heavy} if m in sys.modules])"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


def test_no_compressed_data_to_a_terminal(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    try:
        done = subprocess.run(
            command("compress", "--model", "none"), input=b"x", stdout=terminal, stderr=subprocess.PIPE, check=False
        )
        assert done.returncode == 2
        assert b"terminal" in done.stderr
        forced = subprocess.run(command("compress", "-f", "--model", "none"), input=b"x", stdout=terminal, check=False)
        assert forced.returncode == 0
    finally:
        os.close(master)
        os.close(terminal)


@pytest.mark.parametrize(
    ("number", "cold"), [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, False)], ids=str
)
def test_a_signal_ends_it_at_once_and_leaves_nothing_behind(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, known_models: None, number: signal.Signals, cold: bool
) -> None:
    """While it compresses, or, where nothing is compiled yet, while it compiles."""
    environment = os.environ | ({"NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("cold"))} if cold else {})
    source = tmp_path / "a"
    source.write_bytes(os.urandom(40_000_000))
    before = signal.signal(number, signal.SIG_DFL)  # a child ignores what its parent does, under nohup for one
    with subprocess.Popen(
        command("compress", "--rm", str(source), *SMALL), stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        try:
            time.sleep(3)
            assert process.poll() is None
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
            signal.signal(number, before)
    assert process.returncode == -number
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == ["a"]


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    source = tmp_path / "a.arc"
    source.write_bytes(arcodec.compress(bytes(10_000_000), "none"))
    with subprocess.Popen(command("cat", str(source)), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE


@pytest.mark.parametrize(("options", "level"), [(("-1",), 0), (("-5",), 5), (("-9",), 6), (("--preset", "fast"), 0)])
def test_levels(run: Run, tmp_path: Path, options: tuple[str, ...], level: int) -> None:
    (tmp_path / "a").write_bytes(b"some text, " * 50)
    none = () if level == 0 else ("--model", "none")
    result = run("compress", "-vv", *options, *none, str(tmp_path / "a"))
    assert result.code == 0
    assert container.read_header(memoryview((tmp_path / "a.arc").read_bytes())).level == level
    report = result.err
    assert "predicted by experts, preset" in report
    assert "regret of the mixture against the best" in report


def test_levels_and_presets_that_contradict_each_other(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    result = run("compress", "-9", "--preset", "fast", str(tmp_path / "a"))
    assert (result.code, "give one of the two" in result.err) == (2, True)
    result = run("compress", "-1", "--no-mix", "missing", str(tmp_path / "a"))  # said at once, not for each file
    assert (result.code, "experts only" in one_line(result)) == (2, True)
    result = run("compress", "--max-memory", "1M", "--model", "none", str(tmp_path / "a"))
    assert (result.code, "more than the 1,048,576 allowed" in result.err) == (6, True)


def test_the_report_says_when_the_network_was_left_out(run: Run) -> None:
    Path("a").write_bytes(b"".join((i * i).to_bytes(4, "little") for i in range(3000)))
    result = run("compress", "-v", "a")
    assert "predicted by experts, preset default; the network would not have helped and was left out" in result.err
    assert run("compress", "-f", "-v", "-q", "a").err == ""


@pytest.mark.parametrize("name", ["tpu?", "cuda:x", "cpu:0", "lazy"])
def test_devices_that_do_not_exist(run: Run, name: str) -> None:
    Path("a").write_bytes(DATA)
    result = run("compress", "--device", name, "a", *SMALL)
    assert result.code == 2
    assert "use cpu, torch, cuda or cuda:N" in one_line(result)
