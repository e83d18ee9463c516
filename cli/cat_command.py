"""arcodec cat"""

from __future__ import annotations

from typing import Any

import click

from . import console, transfer
from .decompress_command import decompress_one


@click.command()
@console.some_files
@console.quiet
@console.reading
def command(
    files: tuple[str, ...],
    quiet: bool,
    **reading: Any,
) -> None:
    """Decompress each FILE to standard output, one behind the other."""
    where = transfer.Where(None, to_stdout=True, keep=True, remove=False, force=False, recursive=False)
    console.for_each(list(files), lambda name: decompress_one(name, where, quiet, False, **reading))
