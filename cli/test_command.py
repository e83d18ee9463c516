"""arcodec test"""

from __future__ import annotations

from pathlib import Path

import click

from . import console, transfer


@click.command()
@console.some_files
@console.quiet
@console.verbose
@console.threads
@console.max_output_size
@console.max_memory
@console.reading_model
@console.device
def command(
    files: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    threads: int,
    max_output_size: int | None,
    max_memory: int | None,
    model: str | None,
    device: str,
) -> None:
    """Decode each FILE, check it against its checksums, and write nothing."""

    def one(name: str) -> None:
        from arcodec import codec, container

        data, _ = transfer.read(name)
        total = sum(member.header.length for member in container.members(data))
        with console.progress(total, Path(name).name, quiet) as tick:
            parts = codec.iter_decompressed(
                data,
                max_output_size=max_output_size,
                threads=threads,
                device=device,
                model=model,
                max_memory=max_memory,
                progress=tick,
            )
            for _ in parts:
                pass
        if not quiet:
            click.echo(f"{name}: ok" + (f", {total:,} bytes" if verbose else ""), err=True)

    console.for_each(list(files), one)
