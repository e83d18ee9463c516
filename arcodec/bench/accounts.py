"""Where the bits of texts went, against what the coder is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .. import blocks, codec
from . import measure as m


def accounts(data: Path) -> Iterator[str]:
    """Bits of each stage; what the coder took beyond the model's cross-entropy, and what is allowed. All verified."""
    columns = ["network alone", "cross-entropy", "rounding", "coder", "container", "coded - cross-entropy", "allowed"]
    yield m.row(["file", *columns, "unexplained"])
    yield m.row(["---", *["---:"] * 8])
    for name in m.TEXTS:
        content = (data / name).read_bytes()
        done = codec.measured(content)
        blocks.check_round_trip(done, None, threads=None)
        ledger = done.ledger
        container = 8 * sum(ledger.container_bytes.values())
        excess, allowed = ledger.payload_bits - ledger.model_bits, 0.0002 * ledger.model_bits + 64
        alone = "" if ledger.network_bits is None else f"{ledger.network_bits:,.1f}"
        figures = [ledger.model_bits, ledger.coded_bits - ledger.model_bits, ledger.payload_bits - ledger.coded_bits]
        tail = [f"{container:,}", f"{excess:,.1f}", f"{allowed:,.1f}", f"{ledger.unexplained_bits:.1f}"]
        yield m.row([name, alone, *(f"{figure:,.1f}" for figure in figures), *tail])
