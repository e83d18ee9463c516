"""arcodec compress"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from arcodec.errors import UsageError

from . import console, transfer

SUFFIX = ".arc"


def _target(source: Path) -> Path:
    return source.with_name(source.name + SUFFIX)


@click.command()
@console.files
@console.output
@console.quiet
@console.verbose
@console.threads
@click.option("--model", default="text", metavar="NAME|PATH", help="The model (see 'arcodec models'), or none.")
@click.option("--no-mix", is_flag=True, help="The network alone, without experts that learn from the data.")
@click.option("--block-size", type=console.Size(), metavar="S", help="Bytes a block, at most 16M; 768K by default.")
@click.option("--no-verify", is_flag=True, help="Do not decode the result and compare before writing it.")
@console.device
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
    threads: int,
    model: str,
    no_mix: bool,
    block_size: int | None,
    no_verify: bool,
    device: str,
) -> None:
    """Compress each FILE to FILE.arc, or standard input to standard output.

    -v shows where every bit of the result went.
    """
    where = transfer.Where(target, to_stdout, keep, remove, force, recursive)
    names = list(files) or [transfer.STDIN]
    where.check(names)
    if remove and no_verify:
        raise UsageError("--rm removes sources only after verification: it excludes --no-verify")
    if any(map(where.writes_stdout, names)) and sys.stdout.isatty() and not force:
        raise UsageError("compressed data are not written to a terminal: redirect the output, or give -o or -f")

    def one(name: str) -> None:
        from arcodec import codec

        if name.endswith(SUFFIX) and not force:
            raise UsageError(f"{name} already ends in {SUFFIX}: give -f to compress it once more")
        transfer.refuse_early(name, where, _target)
        data, status = transfer.read(name)
        with console.progress(len(data) * (1 if no_verify else 2), Path(name).name, quiet) as tick:
            done = codec.measured(
                data, model, mix=not no_mix, block_size=block_size, threads=threads, device=device, progress=tick
            )
            if not no_verify:
                codec.check_round_trip(done.data, data, model, threads=threads, device=device, progress=tick)
        written = transfer.write(name, where, _target, status, [done.data])
        if verbose:
            ledger = done.ledger
            click.echo(
                f"{name}: {ledger.original_bytes:,} -> {ledger.file_bytes:,} bytes, {ledger.bpb:.4f} bits/byte",
                err=True,
            )
            click.echo(ledger.table(), err=True)
        elif not quiet and written is not None and sys.stderr.isatty():
            share = len(done.data) / max(1, len(data))
            click.echo(f"{name}: {len(data):,} -> {len(done.data):,} bytes ({share:.1%}), {written}", err=True)

    console.for_each(transfer.sources(names, recursive, SUFFIX, packed=False), one)
