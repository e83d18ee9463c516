"""arcodec cat"""

from __future__ import annotations

import click

from . import console, transfer
from .decompress_command import decompress_one


@click.command()
@console.some_files
@console.quiet
@console.threads
@console.max_output_size
@console.max_memory
@console.reading_model
@console.device
def command(
    files: tuple[str, ...],
    quiet: bool,
    threads: int,
    max_output_size: int | None,
    max_memory: int | None,
    model: str | None,
    device: str,
) -> None:
    """Decompress each FILE to standard output, one behind the other."""
    where = transfer.Where(None, to_stdout=True, keep=True, remove=False, force=False, recursive=False)
    settings = (threads, max_output_size, max_memory, model, device, quiet, False)
    console.for_each(list(files), lambda name: decompress_one(name, where, *settings))
