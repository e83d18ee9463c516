"""The results of experiments as text and as a page."""

from __future__ import annotations

from collections.abc import Mapping

from ..lab.experiment import Plot, Result
from . import plots
from .pages import page
from .text import table


def as_text(name: str, result: Result) -> str:
    """Theory, tables and checks."""
    parts = [f"{name}: {result.theory}"]
    parts += [f"{shown.caption}\n{table(shown.headings, shown.rows)}" for shown in result.tables]
    parts.append("\n".join(f"{'holds' if c.holds else 'FAILS'}  {c.statement}" for c in result.checks))
    return "\n\n".join(parts)


def as_page(results: Mapping[str, Result]) -> str:
    """One page of all of them."""
    drawn = {name: [_drawn(plot) for plot in result.plots] for name, result in results.items()}
    return page("lab.html", results=results, drawn=drawn)


def _drawn(plot: Plot) -> str:
    lines = [plots.Line(curve.label, curve.x, curve.y, curve.line) for curve in plot.curves]
    return plots.svg(plot.title, plot.x_label, plot.y_label, lines, plot.log_x, plot.log_y)
