"""arcodec decompress"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from arcodec.container import Picture
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
    """Decompress each FILE.arc to FILE, or standard input to standard output.

    A picture whose file does not come back byte for byte (see 'arcodec compress --help') is written in the format that
    the output's name ends in, and as PNG if that is no format that can be written.
    """
    where = transfer.Where(target, to_stdout, keep, remove, force, recursive)
    names = list(files) or [transfer.STDIN]
    where.check(names)

    console.for_each(
        transfer.packed(names, recursive), lambda name: decompress_one(name, where, quiet, verbose, **reading)
    )


def _as_picture(name: str, where: transfer.Where, pictures: list[Picture]) -> tuple[Callable[[Path], Path], str]:
    """Where the picture goes, and the format to write it in if its own file cannot come back: as its name says."""
    from arcodec.media import images

    def target_for(source: Path) -> Path:
        target = _target(source)
        if images.format_of(target.name) or all(map(images.comes_back, pictures)):
            return target
        return target.with_name(target.name + ".png")

    target = where.target or ("" if where.writes_stdout(name) else target_for(Path(name)).name)
    return target_for, images.format_of(target) or "PNG"


def decompress_one(name: str, where: transfer.Where, quiet: bool, verbose: bool, **reading: Any) -> None:
    """Decompress one input to where the options say."""
    from arcodec import codec, container

    transfer.status_of(name)
    if where.target is None and not where.writes_stdout(name):
        _target(Path(name))  # says at once that it has no name for the result
    data, status = transfer.read(name)
    start = time.perf_counter()
    members = list(container.members(data))
    total = sum(member.header.original_bytes for member in members)
    pictures = [member.header.picture for member in members if member.header.picture is not None]
    target_for, picture_format = _as_picture(name, where, pictures) if pictures else (_target, "PNG")
    transfer.refuse_early(name, where, target_for)
    with console.progress(total, Path(name).name, quiet) as tick:
        parts = codec.iter_decompressed(data, progress=tick, picture_format=picture_format, **reading)
        transfer.write(name, where, target_for, status, parts)
    if verbose and not quiet:
        seconds = time.perf_counter() - start
        click.echo(
            f"{name}: {len(data):,} -> {total:,} bytes in {seconds:.2f} s, {total / seconds / 1e3:.1f} KB/s", err=True
        )
