"""arcodec test"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import console, transfer


@click.command()
@console.some_files
@console.quiet
@console.verbose
@console.recursive
@console.reading
def command(
    files: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    recursive: bool,
    **reading: Any,
) -> None:
    """Decode each FILE, check it against its checksums, and write nothing."""

    def one(name: str) -> None:
        from arcodec import codec, container

        data, _ = transfer.read(name)
        total = sum(member.header.original_bytes for member in container.members(data))
        with console.progress(total, Path(name).name, quiet) as tick:
            for _ in codec.iter_decompressed(data, progress=tick, **reading):
                pass
        if not quiet:
            click.echo(f"{name}: ok" + (f", {total:,} bytes" if verbose else ""), err=True)

    console.for_each(transfer.packed(files, recursive), one)
