"""arcodec bench"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import console

if TYPE_CHECKING:
    from arcodec.bench.contest import Outcome

_HEADINGS = ("file", "compressor", "bytes", "bits/byte", "compress, KB/s", "decompress, KB/s", "memory, MB")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="text|FILE...")
@click.option(
    "--preset",
    "presets",
    multiple=True,
    type=click.Choice(["fast", "default", "best"]),
    help="Of ours; all by default.",
)
@click.option("--peers/--no-peers", "with_peers", default=True, help="Others beside ours, those that are installed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--html", metavar="OUT", help="Write a page with the table, too.")
@click.option("-f", "force", is_flag=True, help="Overwrite the page.")
@console.quiet
def command(
    files: tuple[str, ...],
    presets: tuple[str, ...],
    with_peers: bool,
    as_json: bool,
    html: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Compare sizes, speeds and memory of ours and other compressors on FILEs, every output verified.

    'text' stands for Python's own manual, which every machine has. Each compressor runs in a process of its own, on as
    many cores as it takes by itself; starting, loading and compiling are not counted.
    """
    from arcodec.bench import contest, measure
    from arcodec.errors import UsageError
    from arcodec.files import replacing
    from arcodec.report.pages import page
    from arcodec.report.text import table
    from arcodec.texts import manual

    if html is not None and Path(html).exists() and not force:
        raise UsageError(f"{html} exists: give -f to overwrite it")
    names, missing = contest.contenders(presets or ("fast", "default", "best"), with_peers)
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        folder = stack.enter_context(measure.scratch())
        paths = [Path(measure.write(folder, "text", manual())) if name == "text" else Path(name) for name in files]
        for path in paths:
            path.open("rb").close()  # what cannot be read is said before anything runs
        runs = [(path, name) for path in paths for name in names]
        with console.progress(sum(path.stat().st_size for path, _ in runs), "comparing", quiet) as advance:
            for path, name in runs:
                outcomes.append(contest.outcome(name, path))
                advance(path.stat().st_size)
    rows = [_row(outcome) for outcome in outcomes]
    about = {"machine": measure.machine(), "missing": missing}
    if as_json:
        click.echo(json.dumps(about | {"outcomes": [outcome.as_dict() for outcome in outcomes]}, indent=2))
    else:
        click.echo(f"{measure.machine()}; every output was decoded and compared")
        click.echo(table(_HEADINGS, rows))
        if missing:
            click.echo(f"not installed: {', '.join(missing)}", file=sys.stderr)
    if html is not None:
        with replacing(Path(html), overwrite=force) as file:
            file.write(page("bench.html", headings=_HEADINGS, rows=rows, **about).encode())


def _row(outcome: Outcome) -> tuple[str | float, ...]:
    thousands = outcome.original_bytes / 1e3
    return (
        outcome.file,
        outcome.contender,
        outcome.compressed_bytes,
        outcome.bits_per_byte,
        round(thousands / outcome.compress_seconds, 1),
        round(thousands / outcome.decompress_seconds, 1),
        round(outcome.peak_bytes / 1e6),
    )
