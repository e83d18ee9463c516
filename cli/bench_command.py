"""arcodec bench"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import console

if TYPE_CHECKING:
    from arcodec.bench.contest import Outcome

_HEADINGS = ("file", "compressor", "bytes", "bits/byte", "compress, KB/s", "decompress, KB/s", "memory, MB")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="text|images|FILE...")
@click.option(
    "--preset",
    "presets",
    multiple=True,
    type=click.Choice(["fast", "default", "best"]),
    help="Of ours; all by default.",
)
@click.option("--peers", "wanted", metavar="NAME,...", help="Which others; by default all that are installed.")
@click.option("--no-peers", is_flag=True, help="Ours alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--html", metavar="OUT", help="Write a page with the table, too.")
@click.option("-f", "force", is_flag=True, help="Overwrite the page.")
@console.quiet
def command(
    files: tuple[str, ...],
    presets: tuple[str, ...],
    wanted: str | None,
    no_peers: bool,
    as_json: bool,
    html: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Compare sizes, speeds and memory of ours and other compressors on FILEs, every output verified.

    'text' stands for Python's own manual, which every machine has (and which the network has read, like all of
    Python's library: for a fair comparison give files of yours), 'images' for a dozen drawings and screens that are
    made on the spot. Files that are pictures are compared by their samples, with formats of pictures: what counts as
    their bytes are those of an uncompressed file. Each compressor runs in a process of its own, on as many cores as it
    takes by itself; starting, loading and compiling are not counted, nor is the decoding by which 'arcodec compress'
    verifies what it wrote.

    --peers takes xz, zstd, brotli, bzip2, ppmd, zpaq, and for pictures png, webp, jpeg2000, qoi, jpegxl, jpegxl9.
    """
    from arcodec.bench import contest, measure, peers, picture_peers
    from arcodec.errors import ArcodecError, UsageError
    from arcodec.files import replacing
    from arcodec.report.pages import page
    from arcodec.report.text import table

    if wanted is not None and no_peers:
        raise UsageError("--peers and --no-peers exclude each other")
    console.check_target(html, force)
    unknown = set(wanted.split(",")) - {*peers.NAMES, *picture_peers.NAMES} if wanted else set()
    if unknown:
        raise UsageError(f"no peer {min(unknown)!r}: there are {', '.join((*peers.NAMES, *picture_peers.NAMES))}")
    ours, others = presets or ("fast", "default", "best"), [] if no_peers else wanted.split(",") if wanted else None
    outcomes: list[Outcome] = []
    missing: set[str] = set()
    failures: list[str] = []
    with ExitStack() as stack:
        folder = stack.enter_context(measure.scratch())
        runs = []
        for path, is_picture in (found for name in files for found in _inputs(name, folder)):
            kind = set(picture_peers.NAMES if is_picture else peers.NAMES)
            wanted_here = others if others is None else [name for name in others if name in kind]
            names, absent = contest.contenders(ours, wanted_here, is_picture)
            missing |= set(absent)
            runs += [(path, name) for name in names]
        with console.progress(sum(path.stat().st_size for path, _ in runs), "comparing", quiet) as advance:
            for path, name in runs:
                try:
                    outcomes.append(contest.outcome(name, path))
                except ArcodecError as error:
                    if name in contest.OURS:
                        raise
                    failures.append(str(error))  # formats differ in what pictures they take
                advance(path.stat().st_size)
    rows = [_row(outcome) for outcome in outcomes]
    about: dict[str, Any] = {"machine": measure.machine(), "missing": sorted(missing), "failures": failures}
    if as_json:
        click.echo(json.dumps(about | {"outcomes": [outcome.as_dict() for outcome in outcomes]}, indent=2))
    else:
        click.echo(f"{measure.machine()}; every output was decoded and compared")
        click.echo(table(_HEADINGS, rows))
        if missing:
            click.echo(f"not installed: {', '.join(sorted(missing))}", err=True)
        for failure in failures:
            click.echo(failure, err=True)
    if html is not None:
        with replacing(Path(html), overwrite=force) as file:
            file.write(page("bench.html", headings=_HEADINGS, rows=rows, **about).encode())


def _inputs(name: str, folder: str) -> Iterator[tuple[Path, bool]]:
    """The files that an argument stands for, and whether they are pictures, which are written to folder as samples."""
    from arcodec.bench import drawings, measure, picture_peers
    from arcodec.media import images
    from arcodec.texts import manual

    if name == "text":
        yield Path(measure.write(folder, "text", manual())), False
        return
    if name == "images":
        for make in drawings.DRAWINGS:
            yield Path(measure.write(folder, make.__name__, picture_peers.pnm(make()))), True
        return
    raster, _ = images.read(Path(name).read_bytes(), "auto")
    if raster is None:
        yield Path(name), False
    else:
        own = tempfile.mkdtemp(dir=folder)  # other inputs may have the same name
        yield Path(measure.write(own, Path(name).name, picture_peers.pnm(images.to_array(raster)))), True


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
