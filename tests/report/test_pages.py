from __future__ import annotations

import builtins
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arcodec
from arcodec import codec
from arcodec.errors import UsageError
from arcodec.guesses import likeliest
from arcodec.models.store import compiled, find
from arcodec.report import picture as report_picture
from arcodec.report import plots
from arcodec.report.file import About, Window, as_page, readable, windows_of
from arcodec.report.picture import View
from arcodec.report.text import table

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TEXT = ("Où est la gare? It is <b>there</b>, & not </script> here.\n" * 40).encode()


def about(data: bytes, most: int = 1 << 20, name: str = "a <name>") -> About:
    done = codec.measured(data, "none", preset="fast", detailed=True)
    assert done.symbol_bits is not None
    windows = []
    for start, stop in windows_of(len(data), most):
        guesses = np.tile(np.array([101, 32, 116], np.uint8), (stop - start, 1))
        windows.append(Window(start, guesses, np.tile(np.array([0.5, 0.25, 0.1]), (stop - start, 1))))
    return About(name, data, done.ledger, done.symbol_bits, windows, {"xz": 500}, ["zpaq"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: the page is not tried in a browser")
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page and sees to it that nothing went wrong on it."""
    errors: list[str] = []
    pages = []

    def show(html: str, **settings: Any) -> Any:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        page = browser.new_page(**settings)
        pages.append(page)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith("file:") else errors.append(request.url))
        page.goto(path.as_uri())
        return page

    yield show
    for page in pages:
        page.close()
    assert errors == []


def number(text: str) -> float:
    return float(text.replace(",", ""))


def test_the_page_says_what_the_ledger_says(opened: Any) -> None:
    file = about(TEXT)
    page = opened(as_page([file]))
    rows = page.locator("table.ledger tbody tr").all()
    shown = {row.locator("th").inner_text(): number(row.locator("td").first.inner_text()) for row in rows}
    expected = {line.name: line.bits for line in file.ledger.lines}
    assert shown.pop("= file") == 8 * file.ledger.file_bytes
    assert shown.pop("unexplained") == 0
    assert shown == pytest.approx(expected, abs=0.051)
    data = json.loads(page.locator("#data").inner_text() or page.locator("#data").text_content())
    assert data[0]["ledger"] == json.loads(json.dumps(file.ledger.as_dict()))
    assert page.locator("h2").inner_text() == "a <name>"
    assert "zpaq" in page.locator("section").inner_text()


def test_the_map_adds_up_and_tells_on_hover_and_by_keys(opened: Any) -> None:
    file = about(TEXT)
    page = opened(as_page([file]))
    total = float(page.locator(".sum").get_attribute("data-bits"))
    assert total == pytest.approx(file.ledger.model_bits + file.ledger.stored_bits, abs=0.05)
    page.locator(".text span").nth(4).hover()
    told = page.locator(".told").inner_text()
    assert "position 5: s took" in told  # the u with a grave accent has two bytes
    assert "expected: e 50 %, ␣ 25 %, t 10 %" in told
    cost = float(re.search(r"took ([\d.]+) bits", told)[1])  # type: ignore[index]
    assert cost == pytest.approx(file.symbol_bits[5], abs=0.006)
    page.locator(".text").focus()
    page.keyboard.press("ArrowRight")
    assert "position 6: t took" in page.locator(".told").inner_text()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert "position 4: e took" in page.locator(".told").inner_text()
    assert page.locator(".text span").nth(1).inner_text() == "ù"


def test_a_page_of_the_command(opened: Any, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "README.md").read_bytes()
    (tmp_path / "readme").write_bytes(text)
    command = [sys.executable, "-m", "arcodec_cli", "report", "readme", "-o", "out.html", "--no-peers"]
    subprocess.run(command, cwd=tmp_path, check=True)
    html = (tmp_path / "out.html").read_text()
    assert len(html) < 40 * len(text) + 200_000
    page = opened(html)
    page.locator(".text span").nth(700).hover()
    ledger = json.loads(page.locator("#data").text_content())[0]["ledger"]
    assert float(page.locator(".sum").get_attribute("data-bits")) == pytest.approx(
        ledger["cross_entropy_bits"], abs=0.1
    )
    told = page.locator(".told").inner_text()
    position, cost, expected = re.search(r"position ([\d,]+): .+ took ([\d.]+) bits; expected: (.+)", told).groups()  # type: ignore[union-attr]
    done = codec.measured(text, detailed=True)
    assert done.symbol_bits is not None
    at = int(number(position))
    assert float(cost) == pytest.approx(done.symbol_bits[at], abs=0.006)
    guesses, shares = likeliest(done.data, text, np.arange(len(text)) == at, 1)
    assert expected.startswith(
        f"{readable(guesses[at].tobytes())} {round(shares[at, 0] * 255) / 255:.0%}".replace("%", " %")
    )
    section = page.locator("section").inner_text()
    for name, share in ledger["experts_shares"].items():
        assert re.search(rf"{re.escape(name)}\s.*\s{100 * share:.1f}\s", section), name


def test_pages_of_the_map_are_turned(opened: Any) -> None:
    page = opened(as_page([about(TEXT * 3)]))
    assert page.locator(".back").is_disabled()
    page.locator(".on").click()
    assert "page 2 of" in page.locator(".where").inner_text()
    page.locator(".back").click()
    assert "page 1 of" in page.locator(".where").inner_text()


def test_large_files_are_sampled_and_it_is_said(opened: Any) -> None:
    page = opened(as_page([about(TEXT, most=800)]))
    assert "800 of 2,360 bytes are shown" in page.locator("section").inner_text()


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256))], ids=["empty", "one", "binary"])
def test_small_and_odd_files(opened: Any, data: bytes) -> None:
    page = opened(as_page([about(data), about(b"another")]))
    assert page.locator("section").count() == 2


def test_narrow_screens_need_no_scrolling_sideways(opened: Any) -> None:
    page = opened(as_page([about(TEXT)]), viewport={"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    account = page.locator(".wide").first
    assert account.evaluate("e => e.scrollWidth - e.clientWidth") == 0  # nor does the account


def test_dark_and_light_differ(opened: Any) -> None:
    colours = set()
    for scheme in ("dark", "light"):
        page = opened(as_page([about(b"abc")]), color_scheme=scheme)
        colours.add(page.evaluate("getComputedStyle(document.body).color"))
    assert len(colours) == 2


def test_windows_lie_apart_and_within() -> None:
    assert windows_of(10, 10) == [(0, 10)]
    windows = windows_of(1000, 80)
    assert [stop - start for start, stop in windows] == [10] * 8
    assert windows[0][0] == 0
    assert windows[-1][1] == 1000


def test_guesses_of_a_network_are_the_likeliest() -> None:
    symbols, wanted = np.frombuffer(TEXT, np.uint8), np.arange(len(TEXT)) % 3 == 0
    frequencies = compiled(find("text"), 1).frequencies(symbols[1000:2000])
    file = arcodec.compress(TEXT, "text", mix=False, block_size=1000)
    guesses, shares = likeliest(file, TEXT, wanted, 3)
    assert (shares[~wanted] == 0).all()
    part = wanted[1000:2000]
    assert (frequencies.argmax(1) == guesses[1000:2000, 0])[part].all()
    assert shares[1000:2000, 0][part] == pytest.approx(frequencies.max(1)[part] / 2**24)
    assert (np.diff(shares, axis=1) <= 0).all()


@pytest.mark.parametrize("preset", ["fast", "default"])
def test_guesses_of_a_mixture_are_its_own(preset: str) -> None:
    done = codec.measured(TEXT, None if preset == "fast" else "text", preset=preset, detailed=True)
    symbols = np.frombuffer(TEXT, np.uint8)
    guesses, shares = likeliest(done.data, TEXT, np.ones(len(TEXT), bool), 3)
    assert (np.diff(shares, axis=1) <= 0).all()
    assert (shares.sum(1) <= 1).all()
    assert done.symbol_bits is not None
    right = guesses[:, 0] == symbols
    assert right[300:].mean() > 0.95  # the text repeats itself
    # What the mixture learns between the bits of a byte is all that parts a guess's share from its cost.
    assert np.median(np.abs(np.log2(shares[right, 0]) + done.symbol_bits[right])) < 0.01
    few = np.arange(len(TEXT)) % 50 == 7
    again, their_shares = likeliest(done.data, TEXT, few, 3)  # whoever asks less often changes nothing
    assert (again[few] == guesses[few]).all()
    assert (their_shares[few] == shares[few]).all()


def test_nothing_is_expected_in_what_is_stored() -> None:
    noise = np.random.default_rng(1).integers(0, 256, 1000, np.uint8).tobytes()
    file = arcodec.compress(noise)
    assert (likeliest(file, noise, np.ones(1000, bool), 3)[1] == 0).all()


def test_what_cannot_be_printed_is_a_dot() -> None:
    assert readable(b"a b\n\x00\xff") == "a␣b↵··"


def test_tables_have_columns() -> None:
    text = table(("what", "bits"), [("a\nb", 1.5), ("c", 1000)])
    assert text.split("\n") == ["what   bits", "a       1.5", "b", "c     1,000"]


def test_plots_follow_the_colour_of_the_page() -> None:
    drawn = plots.svg(
        "t", "x", "y", [plots.Line("a", [1, 2], [3, 4]), plots.Line("b", [1], [2], joined=False)], True, True
    )
    assert drawn.startswith("<svg")
    assert "currentColor" in drawn
    assert drawn == plots.svg(
        "t", "x", "y", [plots.Line("a", [1, 2], [3, 4]), plots.Line("b", [1], [2], joined=False)], True, True
    )


def test_plots_need_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=re.escape("pip install 'arcodec[report]'")):
        plots.svg("t", "x", "y", [])


def picture(height: int = 30, width: int = 40, channels: int = 3) -> About:
    random = np.random.default_rng(1)
    samples = (np.add.outer(np.arange(height), np.arange(width))[..., None] + random.integers(0, 9, channels)).astype(
        np.uint8
    )
    samples[3, 5] = 200
    ledger, bits = arcodec.measure_image(samples, preset="fast")
    return About("a picture", samples.tobytes(), ledger, bits.ravel(), [], {}, [], View(samples, bits, 8))


def test_every_pixel_is_drawn_and_told(opened: Any) -> None:
    file = picture()
    page = opened(as_page([file, about(TEXT)]))
    total = float(page.locator(".sum").first.get_attribute("data-bits"))
    assert total == pytest.approx(file.ledger.model_bits + file.ledger.stored_bits, abs=0.05)
    canvas = page.locator("canvas")
    box = canvas.bounding_box()
    canvas.hover(position={"x": 5.5 / 40 * box["width"], "y": 3.5 / 30 * box["height"]})
    told = page.locator(".told").first.inner_text()
    assert told.startswith("x 5, y 3: red 200 took ")
    found = [float(cost) for cost in re.findall(r"took ([\d.]+) bits", told)]
    assert found == pytest.approx(file.picture.bits[3, 5], abs=0.006)  # type: ignore[union-attr]
    canvas.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".told").first.inner_text().startswith("x 6, y 3")
    page.keyboard.press("ArrowUp")
    assert page.locator(".told").first.inner_text().startswith("x 6, y 2")
    section = page.locator("section").first.inner_text()
    assert "bits/dim" in section
    assert "The dearest samples" in section
    assert page.locator(".text span").count() > 0  # the text's own map is there as well


def test_large_pictures_are_drawn_in_squares(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_picture, "MOST", 100)
    file = picture(31, 41, 1)
    page = opened(as_page([file]))
    assert "Sampled" in page.locator("section").inner_text()
    total = float(page.locator(".sum").get_attribute("data-bits"))
    assert total == pytest.approx(file.ledger.model_bits, abs=0.05)
    page.locator("canvas").focus()
    assert page.locator(".told").inner_text().startswith("4 \u00d7 4 pixels from x 0, y 0: grey")
