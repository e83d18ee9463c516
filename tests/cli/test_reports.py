"""arcodec lab, report and bench."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arcodec
from arcodec import codec, lab
from arcodec.bench import contest
from arcodec.errors import ArcodecError
from arcodec.lab.experiment import Check, Result

from .conftest import Run


def test_lab_prints_and_writes_a_page(run: Run) -> None:
    done = run("lab", "kl", "mle", "--quick", "--html", "out.html")
    assert done.code == 0
    assert b"kl: Coding samples of p" in done.out
    page = Path("out.html").read_text()
    assert page.count("<section") == 2
    assert "currentColor" in page
    assert "http" not in page.replace("http://www.w3.org", "")  # names of SVG's vocabulary are not fetched
    again = run("lab", "kl", "--quick", "--html", "out.html")
    assert again.code == 2
    assert "out.html exists: give -f" in again.err
    assert run("lab", "kl", "--quick", "--html", "out.html", "-f").code == 0
    assert Path("out.html").read_text().count("<section") == 1


def test_lab_gives_json(run: Run) -> None:
    figures = json.loads(run("lab", "mle", "--quick", "--json").out)
    assert figures["mle"]["holds"] is True


def test_lab_knows_its_names(run: Run) -> None:
    done = run("lab", "kl", "alchemy")
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("arcodec: no experiment 'alchemy'")


def test_lab_fails_where_the_theory_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "run", lambda *rest: Result("x", (), (), (Check("two is three", False),)))
    done = run("lab", "kl")
    assert done.code == 1
    assert b"FAILS  two is three" in done.out
    assert "the theory does not hold on what was measured: kl" in done.err


def test_report_of_files_and_archives(run: Run) -> None:
    Path("a.txt").write_bytes(b"to be or not to be, that is the question. " * 9)
    Path("b.arc").write_bytes(arcodec.compress(b"to be or not to be", "small-recurrent"))
    done = run("report", "a.txt", "b.arc", "-o", "out.html", "--model", "small-recurrent", "--no-peers")
    assert (done.code, done.err) == (0, "")
    page = Path("out.html").read_text()
    assert "<h2" in page
    assert "a.txt" in page
    assert "b.arc" in page
    assert run("report", "a.txt", "-o", "out.html").code == 2
    assert run("report", "a.txt", "-o", "out.html", "-f", "--preset", "fast").code == 0
    assert "xz -9e" in Path("out.html").read_text()


def test_without_matplotlib_nothing_is_begun(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for arguments in (("report", "missing.txt", "-o", "out.html"), ("lab", "kl", "--html", "out.html")):
        done = run(*arguments)
        assert (done.code, done.out) == (2, b"")
        assert "pip install 'arcodec[report]'" in done.err


def test_nothing_is_coded_where_something_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "measured", lambda *_, **__: pytest.fail("it ran"))
    Path("a.txt").write_bytes(b"text")
    assert run("report", "a.txt", "missing.txt", "-o", "out.html").code == 3


def test_a_report_of_nothing_is_not_written(run: Run) -> None:
    done = run("report", "missing.txt", "-o", "out.html")
    assert done.code == 1
    assert "missing.txt: No such file" in done.err
    assert not Path("out.html").exists()


def test_bench_measures_and_verifies(run: Run) -> None:
    Path("a.txt").write_bytes(b"to be or not to be, that is the question. " * 50)
    done = run("bench", "a.txt", "--preset", "fast", "--html", "out.html", "-q")
    assert done.code == 0
    assert b"arcodec fast" in done.out
    assert b"xz -9e" in done.out
    assert "bzip2 -9" in Path("out.html").read_text()
    assert run("bench", "a.txt", "--html", "out.html").code == 2
    figures = json.loads(run("bench", "a.txt", "--preset", "fast", "--no-peers", "--json").out)
    (outcome,) = figures["outcomes"]
    assert outcome["original_bytes"] == 2100
    assert 0 < outcome["compressed_bytes"] < 200
    assert outcome["peak_bytes"] > 10**7


def test_bench_of_a_missing_file(run: Run) -> None:
    done = run("bench", "missing.txt", "--no-peers")
    assert done.code == 1
    assert "missing.txt: No such file" in done.err


def test_a_contender_that_fails_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    with pytest.raises(ArcodecError, match="brotli -q 99 failed: StopIteration"):
        contest.outcome("brotli -q 99", path)


def test_bench_of_pictures(run: Run) -> None:
    noise = np.random.default_rng(1).integers(0, 9, (20, 30, 3), np.uint8)
    Image.fromarray(noise).save("a.png")
    Path("other").mkdir()
    Image.fromarray(noise[..., 0]).save("other/a.png")
    done = run("bench", "a.png", "other/a.png", "--preset", "fast", "--peers", "png,webp", "--json", "-q")
    figures = json.loads(done.out)
    rows = [(outcome["file"], outcome["contender"], outcome["original_bytes"]) for outcome in figures["outcomes"]]
    names = ("arcodec fast", "PNG optimised", "WebP lossless -m 6")
    assert rows == [("a.png", name, 1813) for name in names] + [("a.png", name, 613) for name in names]
    assert figures["failures"] == []


def test_bench_says_which_peers_there_are(run: Run) -> None:
    Path("a.txt").write_bytes(b"text")
    assert "there are xz" in run("bench", "a.txt", "--peers", "rar").err
    assert run("bench", "a.txt", "--peers", "xz", "--no-peers").code == 2
    names = {
        outcome["contender"] for outcome in json.loads(run("bench", "a.txt", "--peers", "xz", "--json").out)["outcomes"]
    }
    assert names == {"arcodec fast", "arcodec default", "arcodec best", "xz -9e"}


def test_bench_goes_on_where_a_peer_cannot(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.txt").write_bytes(b"text")
    outcome = contest.outcome

    def failing(contender: str, path: Path) -> contest.Outcome:
        if contender in ("xz -9e", broken):
            raise ArcodecError(f"{path}: {contender} failed: no reason given")
        return outcome(contender, path)

    monkeypatch.setattr(contest, "outcome", failing)
    broken = ""
    done = run("bench", "a.txt", "--preset", "fast", "--peers", "xz,bzip2")
    assert done.code == 0
    assert "xz -9e failed" in done.err
    assert "bzip2 -9" in done.out.decode()
    broken = "arcodec fast"
    assert run("bench", "a.txt", "--preset", "fast", "--peers", "bzip2").code == 1


def test_a_page_shows_the_guesses_of_the_network_that_coded(run: Run) -> None:
    Path("a.txt").write_bytes(b"It was the best of times, it was the worst of times. " * 20)
    assert run("compress", "a.txt", "--model", "text").code == 0
    assert run("report", "a.txt.arc", "-o", "out.html", "--no-peers").code == 0
    page = Path("out.html").read_text()
    assert run("report", "a.txt.arc", "-o", "other.html", "--no-peers", "--model", "text-convolution").code == 0
    assert Path("other.html").read_text() == page


def test_outputs_that_cannot_be_are_refused_before_anything_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "run", lambda *_: pytest.fail("it ran"))
    monkeypatch.setattr(contest, "outcome", lambda *_: pytest.fail("it ran"))
    Path("a.txt").write_bytes(b"text")
    monkeypatch.setattr(codec, "measured", lambda *_, **__: pytest.fail("it ran"))
    for command in (("lab", "kl", "--html"), ("bench", "a.txt", "--html"), ("report", "a.txt", "-o")):
        done = run(*command, "nowhere/x.html")
        assert (done.code, "no such folder" in done.err) == (2, True)


def test_peers_of_both_kinds_may_be_named_together(run: Run) -> None:
    Path("a.txt").write_bytes(b"text")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save("a.png")
    done = run("bench", "a.txt", "a.png", "--preset", "fast", "--peers", "xz,png", "--json", "-q")
    contenders = [outcome["contender"] for outcome in json.loads(done.out)["outcomes"]]
    assert contenders == ["arcodec fast", "xz -9e", "arcodec fast", "PNG optimised"]


def test_memory_is_that_of_the_process_alone(tmp_path: Path) -> None:
    room = np.ones(400 << 17)  # 400 MiB in this process
    (tmp_path / "a").write_bytes(b"text")
    peak = contest.outcome("bzip2 -9", tmp_path / "a").peak_bytes
    assert peak < room.nbytes


def test_a_page_without_the_peers_that_cannot(run: Run) -> None:
    Image.fromarray(np.zeros((2, 17_000), np.uint8)).save("wide.png")
    assert run("report", "wide.png", "--preset", "fast", "-o", "out.html").code == 0
    page = Path("out.html").read_text()
    assert "WebP lossless -m 6 (failed: " in page
    assert "PNG optimised" in page
    Image.fromarray(np.zeros((4, 4), np.uint16)).save("deep.png")
    assert run("report", "deep.png", "--preset", "fast", "-o", "deep.html").code == 0
    assert "PNG optimised (not for 16 bits a sample)" in Path("deep.html").read_text()


def test_dear_bytes_are_named_by_number(run: Run) -> None:
    Path("a").write_bytes(bytes(300) + b"\x01" + bytes(300))
    assert run("report", "a", "--preset", "fast", "--no-peers", "-o", "out.html").code == 0
    assert '<td class="words">0x01</td>' in Path("out.html").read_text()
