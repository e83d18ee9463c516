"""Text: sizes beside the peers', the account against the model's cross-entropy, and speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from .. import codec
from ..ledger import Ledger
from ..models import store
from . import measure as m
from .peers import available


def sizes_and_accounts(data: Path, model: str) -> Iterator[str]:
    """Two tables: file sizes beside the peers', and coded bits against the model's cross-entropy. All verified."""
    peers, missing = available()
    names = [peer.name for peer in peers]
    yield m.row(["file", "bytes", "arcodec", *names, "arcodec, bits/byte", "smaller than"])
    yield m.row(["---", *["---:"] * (len(peers) + 3), "---"])
    ledgers: dict[str, Ledger] = {}
    ours_total, totals, length = 0, [0] * len(peers), 0
    for name in m.TEXTS:
        content = (data / name).read_bytes()
        done = codec.measured(content, model)
        codec.check_round_trip(done.data, content, model, threads=None, device="cpu")
        ledgers[name], ours = done.ledger, len(done.data)
        theirs = [m.round_trip_size(content, peer.compress, peer.decompress) for peer in peers]
        beaten = sum(ours < size for size in theirs)
        wins = "all" if beaten == len(peers) else f"{beaten} of {len(peers)}"
        cells = [f"{ours:,}", *(f"{size:,}" for size in theirs), f"{8 * ours / len(content):.4f}", wins]
        yield m.row([name, f"{len(content):,}", *cells])
        ours_total, length = ours_total + ours, length + len(content)
        totals = [total + size for total, size in zip(totals, theirs, strict=True)]
    cells = [f"{ours_total:,}", *(f"{total:,}" for total in totals), f"{8 * ours_total / length:.4f}", ""]
    yield m.row(["total", f"{length:,}", *cells])
    if missing:
        yield f"\nNot installed, hence not measured: {', '.join(missing)}."
    yield ""
    yield from _accounts(ledgers)


def _accounts(ledgers: dict[str, Ledger]) -> Iterator[str]:
    """Bits of each stage; what the coder took beyond the model's cross-entropy, and what is allowed."""
    columns = ["network alone", "cross-entropy", "rounding", "coder", "container", "coded - cross-entropy", "allowed"]
    yield m.row(["file", *columns, "unexplained"])
    yield m.row(["---", *["---:"] * 8])
    for name, ledger in ledgers.items():
        container = 8 * sum(ledger.container_bytes.values())
        excess, allowed = ledger.payload_bits - ledger.model_bits, 0.0002 * ledger.model_bits + 64
        alone = "" if ledger.network_bits is None else f"{ledger.network_bits:,.1f}"
        figures = [ledger.model_bits, ledger.coded_bits - ledger.model_bits, ledger.payload_bits - ledger.coded_bits]
        tail = [f"{container:,}", f"{excess:,.1f}", f"{allowed:,.1f}", f"{ledger.unexplained_bits:.1f}"]
        yield m.row([name, alone, *(f"{figure:,.1f}" for figure in figures), *tail])


def speeds(data: Path, model: str) -> Iterator[str]:
    """Throughput on a megabyte, whole commands on 4 KB."""
    text = b"".join((data / name).read_bytes() for name in m.TEXTS)
    megabyte = text[: 1 << 20]
    store.engine_for(store.find(model))  # compile and load first
    yield m.row(["what", "cores", "seconds", "KB/s"])
    yield m.row(["---", "---:", "---:", "---:"])
    for threads in (1, 2):
        start = time.perf_counter()
        packed = codec.compress(megabyte, model, threads=threads, verify=False)
        middle = time.perf_counter()
        assert codec.decompress(packed, threads=threads, model=model) == megabyte
        end = time.perf_counter()
        for what, seconds in (("compress 1 MiB", middle - start), ("decompress 1 MiB", end - middle)):
            yield m.row([what, str(threads), f"{seconds:.1f}", f"{len(megabyte) / seconds / 1e3:.1f}"])
    with m.scratch() as folder:
        path = m.write(folder, "small", text[:4096])
        settings = ["--model", model]
        m.command_seconds(["compress", "-q", "-f", path, *settings], 1)
        for what, arguments in (("compress", [path]), ("decompress", [path + ".arc", "-o", path])):
            seconds = m.command_seconds([what, "-q", "-f", *arguments, *settings], 5)
            yield m.row([f"arcodec {what}, 4 KB, start to end", "", f"{seconds:.2f}", ""])


def memory(data: Path, model: str, megabytes: int) -> Iterator[str]:
    """Largest resident size while compressing and decompressing a large input."""
    text = b"".join((data / name).read_bytes() for name in m.TEXTS)
    length = megabytes * 10**6
    with m.scratch() as folder:
        path = m.write(folder, "large", (text * (length // len(text) + 1))[:length])
        for what, arguments in (("compress", [path, "--no-verify"]), ("decompress", [path + ".arc"])):
            start = time.perf_counter()
            peak = m.peak_memory([what, "-q", "-f", *arguments, "--model", model])
            seconds = time.perf_counter() - start
            rate = length / seconds / 1e3
            yield f"{what} {megabytes} MB: peak {peak / 1e6:,.0f} MB resident, {rate:.1f} KB/s on all cores\n"
