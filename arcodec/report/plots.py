"""Plots as SVG that follows the page's colours: what is drawn in black takes the colour of the text around it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError

# Told apart by people with any colour vision: Wong 2011, "Points of view: Color blindness", Nature Methods 8.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_UNSAID = dict.fromkeys(("Creator", "Date", "Format", "Type"))  # of what matplotlib would write into each file
_INK = "#010101"  # stands for the colour of the page's text


@dataclass(frozen=True)
class Line:
    """Points, joined or not."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    joined: bool = True


def need() -> None:
    """Raise UsageError without matplotlib: for those who would rather know before than after the work."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UsageError("plots need the package matplotlib (pip install 'arcodec[report]')") from None


def svg(title: str, x_label: str, y_label: str, lines: Sequence[Line], log_x: bool = False, log_y: bool = False) -> str:
    """An SVG element. Raises UsageError without matplotlib."""
    need()
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # A fixed salt, so that the same figures give the same page.
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": title, "font.size": 10}
    with rc_context(settings):
        figure = Figure(figsize=(7, 4), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        for number, line in enumerate(lines):
            colour = _COLOURS[number % len(_COLOURS)]
            style: dict[str, Any] = {} if line.joined else {"linestyle": "none", "marker": "o", "markersize": 4}
            if number >= len(_COLOURS):
                style.setdefault("linestyle", "--")
            axes.plot(list(line.x), list(line.y), color=colour, label=line.label, **style)
        axes.set_xlabel(x_label, color=_INK)
        axes.set_ylabel(y_label, color=_INK)
        axes.set_title(title, color=_INK)
        if log_x:
            axes.set_xscale("log")
        if log_y:
            axes.set_yscale("log")
        axes.tick_params(colors=_INK, which="both")
        for spine in axes.spines.values():
            spine.set_color(_INK)
        if len(lines) > 1:
            axes.legend(labelcolor=_INK, framealpha=0, fontsize=8)
        out = io.StringIO()
        FigureCanvasSVG(figure).print_svg(out, metadata=_UNSAID)  # type: ignore[no-untyped-call]
    drawn = out.getvalue()
    return drawn[drawn.index("<svg") :].replace(_INK, "currentColor")
