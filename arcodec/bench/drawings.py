"""A dozen drawings and screens, made here: text, charts, a terminal, a map, dithers, gradients. No photographs."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..texts import letters_only, manual

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

_WIDTH, _HEIGHT = 800, 600


@lru_cache(maxsize=1)
def _words() -> list[str]:
    return letters_only(manual()[:20_000]).decode().split()


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size)


def _blank(color: tuple[int, int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (_WIDTH, _HEIGHT), color)
    return image, ImageDraw.Draw(image)


def _lines(count: int, width: int) -> list[str]:
    words = _words()
    lines: list[str] = []
    line = ""
    at = 0
    while len(lines) < count:
        if len(line) + len(words[at % len(words)]) >= width:
            lines.append(line)
            line = ""
        line += words[at % len(words)] + " "
        at += 1
    return lines


def page() -> np.ndarray:
    """A page of text, dark on white, smoothed."""
    image, draw = _blank((255, 255, 255))
    draw.text((60, 30), "Of measuring what one does not know", (20, 20, 20), _font("DejaVuSerif-Bold", 24))
    for i, line in enumerate(_lines(24, 78)):
        draw.text((60, 80 + 21 * i), line, (30, 30, 30), _font("DejaVuSerif", 15))
    return np.asarray(image)


def page_of_bits() -> np.ndarray:
    """The same in black and white, without smoothing."""
    from PIL import Image, ImageDraw

    image = Image.new("1", (_WIDTH, _HEIGHT), 1)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"
    for i, line in enumerate(_lines(26, 80)):
        draw.text((50, 20 + 22 * i), line, 0, _font("DejaVuSans", 15))
    return np.asarray(image)


def terminal() -> np.ndarray:
    """A terminal full of coloured lines."""
    image, draw = _blank((12, 12, 24))
    colors = [(204, 204, 204), (95, 215, 95), (215, 175, 95), (95, 175, 255), (255, 95, 95)]
    mono = _font("DejaVuSansMono", 13)
    for i, line in enumerate(_lines(35, 70)):
        draw.text((8, 4 + 17 * i), f"{i * 37 % 997:4d}", colors[1], mono)
        draw.text((52, 4 + 17 * i), "|", colors[2], mono)
        draw.text((68, 4 + 17 * i), line, colors[(i * i) % 5], mono)
    return np.asarray(image)


def window() -> np.ndarray:
    """A program's window: bars, buttons, lists, a selection."""
    image, draw = _blank((240, 240, 240))
    font, bold = _font("DejaVuSans", 12), _font("DejaVuSans-Bold", 12)
    draw.rectangle((0, 0, _WIDTH, 30), (58, 110, 165))
    draw.text((10, 8), "Accounts - 2041", (255, 255, 255), bold)
    for i, label in enumerate(("File", "Edit", "View", "Tools", "Help")):
        draw.text((10 + 60 * i, 38), label, (0, 0, 0), font)
    for i, line in enumerate(_lines(22, 60)):
        top = 64 + 23 * i
        draw.rectangle((10, top, 560, top + 22), (205, 225, 250) if i == 7 else (255, 255, 255), (210, 210, 210))
        draw.text((18, top + 4), line, (0, 0, 0), font)
    for i in range(6):
        draw.rounded_rectangle((590, 70 + 50 * i, 780, 104 + 50 * i), 6, (225, 230, 236), (150, 160, 170))
        draw.text((640, 79 + 50 * i), ("Open", "Save", "Print", "Undo", "Find", "Close")[i], (0, 0, 0), font)
    return np.asarray(image)


def _chart(paint: Callable[[object, np.random.Generator], None]) -> np.ndarray:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(8, 6), dpi=100)
    paint(figure.subplots(), np.random.default_rng(5))
    kept = io.BytesIO()
    figure.savefig(kept, format="png")
    return np.asarray(Image.open(kept).convert("RGB"))


def line_chart() -> np.ndarray:
    """Four walks with a legend and a grid."""

    def paint(axes: object, random: np.random.Generator) -> None:
        for name in ("north", "east", "south", "west"):
            axes.plot(random.normal(size=300).cumsum(), label=name)  # type: ignore[attr-defined]
        axes.legend()  # type: ignore[attr-defined]
        axes.grid()  # type: ignore[attr-defined]

    return _chart(paint)


def scatter_chart() -> np.ndarray:
    """A cloud of translucent points."""

    def paint(axes: object, random: np.random.Generator) -> None:
        axes.scatter(*random.normal(size=(2, 800)), c=random.random(800), alpha=0.6)  # type: ignore[attr-defined]

    return _chart(paint)


def bar_chart() -> np.ndarray:
    """Stacked bars."""

    def paint(axes: object, random: np.random.Generator) -> None:
        bottom = np.zeros(12)
        for _ in range(3):
            heights = random.random(12)
            axes.bar(range(12), heights, bottom=bottom)  # type: ignore[attr-defined]
            bottom += heights

    return _chart(paint)


def country_map() -> np.ndarray:
    """Regions of flat colours around scattered towns, with borders and names."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng(11)
    towns = random.integers(0, (_WIDTH, _HEIGHT), (40, 2))
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    bent = (x + 12 * np.sin(y / 23), y + 12 * np.sin(x / 31))
    nearest = np.argmin([(bent[0] - a) ** 2 + (bent[1] - b) ** 2 for a, b in towns], axis=0)
    colors = np.array([(179, 226, 205), (253, 205, 172), (203, 213, 232), (244, 202, 228), (230, 245, 201)], np.uint8)
    picture = colors[nearest % 5]
    border = (nearest != np.roll(nearest, 1, 0)) | (nearest != np.roll(nearest, 1, 1))
    picture[border] = (90, 90, 90)
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for i, (a, b) in enumerate(towns):
        draw.text((int(a), int(b)), _words()[3 * i], (40, 40, 40), _font("DejaVuSans", 12))
    return np.asarray(image)


def gradient() -> np.ndarray:
    """Smooth gradients under shapes."""
    from PIL import Image, ImageDraw

    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    ramps = np.stack([x * 255 / _WIDTH, y * 255 / _HEIGHT, 255 - (x + y) * 255 / (_WIDTH + _HEIGHT)], axis=-1)
    image = Image.fromarray(ramps.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for i in range(9):
        draw.ellipse((30 + 85 * i, 60 + 47 * i, 130 + 85 * i, 160 + 47 * i), (28 * i, 255 - 28 * i, 128))
    return np.asarray(image)


def dithered() -> np.ndarray:
    """A gradient in black and white by error diffusion."""
    from PIL import Image

    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    grey = 127 + 80 * np.sin(x / 90) * np.cos(y / 70) + 40 * np.sin((x + 2 * y) / 200)
    return np.asarray(Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("1"))


def ordered() -> np.ndarray:
    """Gradients in few colours, dithered by an 8 x 8 threshold matrix."""
    matrix = np.zeros((1, 1))
    for _ in range(3):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    threshold = (matrix[y % 8, x % 8] + 0.5) / 64
    ramps = np.stack([x / _WIDTH, y / _HEIGHT, (x * y) / (_WIDTH * _HEIGHT)], axis=-1)
    return (np.floor(ramps * 5 + threshold[..., None]).clip(0, 5) * 51).astype(np.uint8)


def icons() -> np.ndarray:
    """A sheet of small repeated pictures, with hard edges."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng(3)
    kinds = []
    for _ in range(12):
        icon = Image.new("RGB", (32, 32), (250, 250, 250))
        draw = ImageDraw.Draw(icon)
        for _ in range(5):
            a, b = sorted(random.integers(2, 30, 2)), sorted(random.integers(2, 30, 2))
            draw.rectangle(
                (int(a[0]), int(b[0]), int(a[1]), int(b[1])), tuple(int(v) for v in random.integers(0, 6, 3) * 51)
            )
        kinds.append(np.asarray(icon))
    rows = [np.concatenate([kinds[i] for i in random.integers(0, 12, 25)], axis=1) for _ in range(18)]
    return np.concatenate(rows, axis=0)


DRAWINGS = (
    page,
    page_of_bits,
    terminal,
    window,
    line_chart,
    scatter_chart,
    bar_chart,
    country_map,
    gradient,
    dithered,
    ordered,
    icons,
)
