"""arcodec ledger"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arcodec.errors import UsageError

from . import console, transfer

if TYPE_CHECKING:
    from arcodec.accounting import Compressed
    from arcodec.ledger import Ledger

_FILE = "the file"


@dataclass(frozen=True)
class _Wanted:
    """What the options say of the coding."""

    preset: str
    mix: bool
    media: str
    threads: int


@click.command()
@console.some_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each FILE with every figure.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME|PATH",
    help="A network, or none; several give a column each. By default whichever suits FILE, or the .arc file's own.",
)
@click.option(
    "--reference", metavar="NAME|PATH", help="The model whose KL is taken from the others'; the first by default."
)
@click.option("--source", metavar="SPEC", help="What FILE is a sample of, as bernoulli:p=0.1; see 'arcodec sample'.")
@console.preset
@console.no_mix
@console.media
@click.option("--per-symbol", metavar="OUT", help="Write the bits of each symbol: OUT.npy, or CSV under another name.")
@click.option("-f", "force", is_flag=True, help="Overwrite OUT.")
@console.threads
def command(
    files: tuple[str, ...],
    as_json: bool,
    models: tuple[str, ...],
    reference: str | None,
    source: str | None,
    preset: str | None,
    no_mix: bool,
    media: str,
    per_symbol: str | None,
    force: bool,
    threads: int,
) -> None:
    """Show where every bit of each FILE went, or would go: an .arc file, or any other.

    The lines add up to 8 times the file's size. With several models, or a reference, their accounts stand side by
    side; with a source whose entropy is known, the cross-entropy is parted into entropy and KL divergence.
    """
    if per_symbol is not None and (len(files) > 1 or len(models) > 1 or reference is not None):
        raise UsageError("--per-symbol names one output: give one FILE and at most one model")
    console.check_target(per_symbol, force)
    wanted = _Wanted(preset or "default", not no_mix, media if source is None else "bytes", threads)

    def one(name: str) -> None:
        from arcodec.ledger import compared

        data, _ = transfer.read(name)
        columns, original, against = _columns(data, list(models), reference, wanted)
        ledgers = {label: _ledger(done, original, source) for label, done in columns.items()}
        if per_symbol is not None:
            # a model's that was named, not the file's own
            _write(Path(per_symbol), list(columns.values())[-1], original)
        if as_json:
            click.echo(json.dumps(_json(name, ledgers, against), indent=2))
        elif len(ledgers) > 1:
            click.echo(f"{name}\n{compared(ledgers, against)}")
        else:
            (ledger,) = ledgers.values()
            click.echo(f"{name}: {ledger.original_bytes:,} -> {ledger.file_bytes:,} bytes, by {ledger.predictor}")
            click.echo(ledger.table())

    console.for_each(list(files), one)


def _columns(
    data: bytes, models: list[str], reference: str | None, wanted: _Wanted
) -> tuple[dict[str, Compressed], bytes, str]:
    """What is accounted for, under its name; the original; and the name of what others are compared with."""
    from arcodec import codec, container

    columns, original, against = {}, data, ""
    if data.startswith(container.MAGIC):
        original = codec.decompress(data, threads=wanted.threads)
        columns[_FILE] = codec.audited(data, threads=wanted.threads)
        wanted = replace(wanted, media="bytes" if columns[_FILE].picture is None else "image")  # the same symbols
    elif not models:
        columns[wanted.preset] = _coded(original, None, wanted)
    if reference is not None and reference not in models:
        models = [*models, reference]
    for model in models:
        done = _coded(original, model, wanted)
        # Where the network would not have helped, it was left out, and the column is of the experts alone.
        left_out = model != "none" and not done.ledger.model_names
        label = f"{model} (left out)" if left_out else model
        columns[label] = done
        if model == reference:
            against = label
    return columns, original, against or next(iter(columns))


def _coded(original: bytes, model: str | None, wanted: _Wanted) -> Compressed:
    from arcodec import codec

    return codec.measured(
        original, model, preset=wanted.preset, mix=wanted.mix, media=wanted.media, threads=wanted.threads, detailed=True
    )


def _ledger(done: Compressed, original: bytes, source: str | None) -> Ledger:
    from arcodec.accounting import against_source

    return done.ledger if source is None else against_source(done, original, source)


def _json(name: str, ledgers: dict[str, Ledger], against: str) -> dict[str, Any]:
    from arcodec.ledger import differences_of_kl

    columns = {label: ledger.as_dict() for label, ledger in ledgers.items()}
    about: dict[str, Any] = {"file": name, "ledgers": columns}
    if len(ledgers) > 1:
        unit = "dimension" if ledgers[against].dimensions else "byte"
        about |= {"reference": against, f"kl_difference_bits_per_{unit}": differences_of_kl(ledgers, against)}
    return about


def _write(path: Path, done: Compressed, original: bytes) -> None:
    """The bits of each symbol as an array file or as CSV; of a picture (height, width, channels), row by row in CSV."""
    import numpy as np

    from arcodec.files import replacing

    bits = done.symbol_bits
    assert bits is not None
    symbols: list[int] = list(original)
    if done.samples is not None:
        bits, symbols = bits.reshape(done.samples.shape), done.samples.ravel().tolist()
    out = io.BytesIO()
    if path.suffix == ".npy":
        np.save(out, bits)
    else:
        costs = enumerate(zip(symbols, bits.ravel().tolist(), strict=True))
        rows = "".join(f"{i},{symbol},{cost:.6f}\n" for i, (symbol, cost) in costs)
        out.write(f"position,symbol,bits\n{rows}".encode())
    with replacing(path, overwrite=True) as file:
        file.write(out.getvalue())
