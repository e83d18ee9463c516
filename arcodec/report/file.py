"""The page about files: where every bit of them went, down to the character."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ledger import Ledger
from . import picture, plots
from .pages import page
from .picture import View

GUESSES = 3  # a symbol
_DEAREST = 20
_COLOURS = 10  # of the bar
_BEFORE = 24  # symbols of context beside a dear one


@dataclass(frozen=True)
class Window:
    """A stretch of the original whose symbols are shown one by one."""

    start: int
    guesses: np.ndarray  # (n, GUESSES) uint8
    shares: np.ndarray  # their probabilities; 0 where there is no guess


@dataclass(frozen=True)
class About:
    """What the page says of one file."""

    name: str
    original: bytes
    ledger: Ledger
    symbol_bits: np.ndarray  # (n,) float64, of all symbols
    windows: Sequence[Window]
    peers: Mapping[str, int] = field(default_factory=dict)  # sizes in bytes
    missing: Sequence[str] = ()  # peers that are not installed
    picture: View | None = None  # instead of windows


def windows_of(length: int, most: int) -> list[tuple[int, int]]:
    """What to show of so many symbols: all, or stretches at even distances that make up ``most``: (start, stop)."""
    if length <= most:
        return [(0, length)]
    pieces = 8
    size = most // pieces
    return [(start, start + size) for start in np.linspace(0, length - size, pieces).astype(int).tolist()]


def as_page(files: Sequence[About]) -> str:
    """The whole page."""
    about = [_about(number, file) for number, file in enumerate(files)]
    # What stands in a script element must not be able to end it.
    data = json.dumps([file.pop("data") for file in about]).replace("<", "\\u003c")
    return page("file.html", files=about, data=data)


def _about(place: int, file: About) -> dict[str, Any]:
    ledger = file.ledger
    total, units = 8 * ledger.file_bytes, ledger.dimensions or ledger.original_bytes
    lines = [
        {
            "name": line.name,
            "bits": line.bits,
            "percent": 100 * line.bits / total,
            "per_byte": line.bits / units if units else 0.0,
            "colour": number % _COLOURS,
        }
        for number, line in enumerate(ledger.lines)
    ]
    coded, voices, alone = units * ledger.coded_share, ledger.voices, ledger.alone_bits.items()
    drawn = picture.packed(file.picture) if file.picture is not None else None
    shown = sum(len(window.guesses) for window in file.windows)
    sizes = sorted([("arcodec", ledger.file_bytes), *file.peers.items()], key=lambda item: item[1])
    return {
        "id": f"file-{place}",
        "name": file.name,
        "ledger": ledger,
        "lines": lines,
        "shown": shown,
        "all_shown": shown == len(file.original),
        "curve": _curve(file),
        "dearest": _dearest(file) if file.picture is None else picture.dearest(file.picture),
        "picture": drawn,
        "rate": ledger.bpd if ledger.dimensions else ledger.bpb,
        "unit": "bits/dim" if ledger.dimensions else "bits/byte",
        "experts": [(name, bits, bits / max(1, coded), 100 * voices.get(name, 0)) for name, bits in alone],
        "loudest": 100 * max(voices.values(), default=0.01),
        "mixed": ledger.model_bits / max(1, coded),
        "sizes": [(name, size, 100 * size / max(1, sizes[-1][1])) for name, size in sizes] if file.peers else [],
        "missing": list(file.missing),
        "data": {
            "name": file.name,
            "ledger": ledger.as_dict(),
            "windows": [_packed(file, w) for w in file.windows],
            "picture": drawn,
        },
    }


def _packed(file: About, window: Window) -> dict[str, Any]:
    """Arrays as base64, for the script: bytes, bits as float32, guesses and their shares in 255ths as bytes."""
    part = slice(window.start, window.start + len(window.guesses))
    shares = np.rint(window.shares * 255).astype(np.uint8)
    return {
        "start": window.start,
        "symbols": _base64(np.frombuffer(file.original[part], np.uint8)),
        "bits": _base64(file.symbol_bits[part].astype("<f4")),
        "guesses": _base64(window.guesses),
        "shares": _base64(shares),
    }


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _curve(file: About) -> str:
    """Bytes spent so far, by position, as SVG; nothing for an empty file."""
    if not len(file.symbol_bits):
        return ""
    at = np.unique(np.linspace(0, len(file.symbol_bits) - 1, 400).astype(int))
    spent = np.cumsum(file.symbol_bits)[at] / 8
    even = [float(spent[0]), float(spent[-1])]
    ends = [int(at[0]), int(at[-1])]
    lines = [plots.Line("spent", at.tolist(), spent.tolist()), plots.Line("evenly spent", ends, even)]
    return plots.svg(
        "Bytes spent so far",
        "position, bytes of the original" if file.picture is None else "samples, row by row",
        "bytes",
        lines,
    )


def readable(symbols: bytes) -> str:
    """Bytes as characters, one each: what is printable as it is, a dot for the rest."""
    return "".join("␣" if b == 32 else "↵" if b == 10 else chr(b) if 32 < b < 127 else "·" for b in symbols)


def named(byte: int) -> str:
    """A byte as the page's script calls it: the character, or its number."""
    return readable(bytes([byte])) if byte in (10, 32) or 32 < byte < 127 else f"0x{byte:02x}"


def _dearest(file: About) -> list[dict[str, Any]]:
    """The symbols that cost most, wherever they are."""
    order = np.argsort(-file.symbol_bits, kind="stable")[:_DEAREST]
    guessed = {}
    for window in file.windows:
        for i in order.tolist():
            if 0 <= i - window.start < len(window.guesses):
                guesses = window.guesses[i - window.start].tolist()
                shares = window.shares[i - window.start].tolist()
                guessed[i] = [(named(g), 100 * s) for g, s in zip(guesses, shares, strict=True) if s]
    return [
        {
            "position": i,
            "symbol": named(file.original[i]),
            "before": readable(file.original[max(0, i - _BEFORE) : i]),
            "bits": float(file.symbol_bits[i]),
            "guesses": guessed.get(i, []),
        }
        for i in order.tolist()
    ]
