"""arcodec cat"""

from __future__ import annotations

import click

from . import console, transfer
from .decompress_command import decompress_one


@click.command()
@console.some_files
@console.threads
@console.device
def command(files: tuple[str, ...], threads: int, device: str) -> None:
    """Decompress each FILE to standard output, one behind the other."""
    where = transfer.Where(None, to_stdout=True, keep=True, remove=False, force=False, recursive=False)
    console.for_each(list(files), lambda name: decompress_one(name, where, threads, None, None, device, True, False))
