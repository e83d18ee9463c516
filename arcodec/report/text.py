"""Figures and tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence


def figure(cell: str | float) -> str:
    """A cell: whole numbers whole, others to five significant digits."""
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.5g}" if abs(cell) < 1e5 else f"{cell:,.0f}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    """Columns as wide as they must be; words to the left, figures to the right. A cell may have several lines."""
    kinds = [any(isinstance(row[i], str) for row in rows) for i in range(len(headings))]
    lines: list[list[str]] = [list(headings)]
    for row in rows:
        cells = [figure(cell).split("\n") for cell in row]
        height = max(map(len, cells))
        lines += ([cell[i] if i < len(cell) else "" for cell in cells] for i in range(height))
    widths = [max(len(line[i]) for line in lines) for i in range(len(headings))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if words else cell.rjust(width)
            for cell, width, words in zip(line, widths, kinds, strict=True)
        ).rstrip()
        for line in lines
    )
