"""arcodec decompress"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from arcodec.errors import UsageError

from . import console, transfer


def _target(source: Path) -> Path:
    if source.suffix != transfer.SUFFIX or source.name == transfer.SUFFIX:
        raise UsageError(f"{source} does not end in {transfer.SUFFIX}: name the output with -o, or write it with -c")
    return source.with_suffix("")


@click.command()
@console.files
@console.output
@console.quiet
@console.verbose
@console.reading
def command(
    files: tuple[str, ...],
    target: str | None,
    to_stdout: bool,
    keep: bool,
    remove: bool,
    force: bool,
    recursive: bool,
    quiet: bool,
    verbose: bool,
    **reading: Any,
) -> None:
    """Decompress each FILE.arc to FILE, or standard input to standard output."""
    where = transfer.Where(target, to_stdout, keep, remove, force, recursive)
    names = list(files) or [transfer.STDIN]
    where.check(names)

    def one(name: str) -> None:
        transfer.refuse_early(name, where, _target)
        decompress_one(name, where, quiet, verbose, **reading)

    console.for_each(transfer.packed(names, recursive), one)


def decompress_one(name: str, where: transfer.Where, quiet: bool, verbose: bool, **reading: Any) -> None:
    """Decompress one input to where the options say."""
    from arcodec import codec, container

    data, status = transfer.read(name)
    start = time.perf_counter()
    total = sum(member.header.length for member in container.members(data))
    with console.progress(total, Path(name).name, quiet) as tick:
        parts = codec.iter_decompressed(data, progress=tick, **reading)
        transfer.write(name, where, _target, status, parts)
    if verbose and not quiet:
        seconds = time.perf_counter() - start
        click.echo(
            f"{name}: {len(data):,} -> {total:,} bytes in {seconds:.2f} s, {total / seconds / 1e3:.1f} KB/s", err=True
        )
