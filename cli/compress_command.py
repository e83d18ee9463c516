"""arcodec compress"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from arcodec.errors import UsageError

from . import console, transfer

_PRESETS = {str(level): "fast" if level < 4 else "default" if level < 8 else "best" for level in range(1, 10)}


def _levels(command: Callable[..., Any]) -> Callable[..., Any]:
    """The usual -1 to -9."""
    for level in reversed(_PRESETS):
        command = click.option(f"-{level}", "level", flag_value=level, hidden=True)(command)
    return command


def _target(source: Path) -> Path:
    return source.with_name(source.name + transfer.SUFFIX)


@click.command()
@console.files
@console.output
@console.quiet
@click.option("-v", "verbose", count=True, help="Show where every bit went; -vv also each expert's part.")
@console.threads
@console.preset
@_levels
@click.option(
    "--model", metavar="NAME|PATH", help="The network (see 'arcodec models'), or none; by default whichever suits FILE."
)
@console.no_mix
@console.media
@click.option(
    "--block-size",
    type=console.Size(),
    metavar="S",
    help="Bytes a block, at most 16M; by default at most 768K with a network, 4M without, 16M at best.",
)
@console.max_memory
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
    verbose: int,
    threads: int,
    preset: str | None,
    level: str | None,
    model: str | None,
    no_mix: bool,
    media: str,
    block_size: int | None,
    max_memory: int | None,
    no_verify: bool,
    device: str,
) -> None:
    """Compress each FILE to FILE.arc, or standard input to standard output.

    -1 to -3 stand for --preset fast, -4 to -7 for default, -8 and -9 for best. Whether the network earns its time is
    decided by a sample of each file; -v says so, and where every bit of the result went.

    Pictures are predicted pixel by pixel. PNM, PAM and BMP files come back byte for byte. Of PNG, TIFF, lossless WebP
    and GIF the picture comes back, with its palette, profile and notes, in a PNG written anew; --media bytes gives
    those, too, back byte for byte. JPEG files are bytes: their pixels would take many times their size.
    """
    from arcodec.predictor import check_choice

    where = transfer.Where(target, to_stdout, keep, remove, force, recursive)
    names = list(files) or [transfer.STDIN]
    where.check(names)
    if preset is not None and level is not None and _PRESETS[level] != preset:
        raise UsageError(f"-{level} stands for --preset {_PRESETS[level]}: give one of the two")
    chosen = preset or _PRESETS.get(level or "", "default")
    check_choice(model, chosen, not no_mix)
    if remove and no_verify:
        raise UsageError("--rm removes sources only after verification: it excludes --no-verify")
    if any(map(where.writes_stdout, names)) and sys.stdout.isatty() and not force:
        raise UsageError("compressed data are not written to a terminal: redirect the output, or give -o or -f")

    def one(name: str) -> None:
        from arcodec import blocks, codec

        if name.endswith(transfer.SUFFIX) and not force:
            raise UsageError(f"{name} already ends in {transfer.SUFFIX}: give -f to compress it once more")
        transfer.refuse_early(name, where, _target)
        data, status = transfer.read(name)
        label = Path(name).name
        with console.progress(len(data), label, quiet) as tick:
            done = codec.measured(
                data,
                model,
                preset=chosen,
                mix=not no_mix,
                media=media,
                block_size=block_size,
                threads=threads,
                device=device,
                max_memory=max_memory,
                detailed=verbose > 1,
                progress=tick,
            )
        if not no_verify:
            with console.progress(len(done.original), f"{label}: checking", quiet) as tick:
                blocks.check_round_trip(
                    done, model, threads=threads, device=device, max_memory=max_memory, progress=tick
                )
        written = transfer.write(name, where, _target, status, [done.data])
        ledger = done.ledger
        if quiet:
            return
        if done.remark:
            click.echo(f"{name}: {done.remark}", err=True)
        if verbose:
            left_out = ledger.predictor == "experts" and chosen != "fast" and model != "none" and done.picture is None
            click.echo(
                f"{name}: {ledger.original_bytes:,} -> {ledger.file_bytes:,} bytes, {ledger.bpb:.4f} bits/byte\n"
                f"predicted by {ledger.predictor}, preset {chosen}"
                + ("; the network would not have helped and was left out" if left_out else ""),
                err=True,
            )
            click.echo(ledger.table(), err=True)
        elif written is not None and sys.stderr.isatty():
            share = len(done.data) / max(1, len(data))
            click.echo(f"{name}: {len(data):,} -> {len(done.data):,} bytes ({share:.1%}), {written}", err=True)

    console.for_each(transfer.unpacked(names, recursive), one)
