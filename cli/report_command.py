"""arcodec report"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import console, transfer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcodec.accounting import Compressed
    from arcodec.bench.peers import Peer
    from arcodec.container import Picture
    from arcodec.report.file import About, Window
    from arcodec.report.picture import View

_SHOWN = 1 << 18  # symbols whose costs are shown one by one, a file


@click.command()
@console.some_files
@click.option("-o", "target", required=True, metavar="OUT.html", help="Write the page to this file.")
@click.option("-f", "force", is_flag=True, help="Overwrite it.")
@click.option("--model", metavar="NAME|PATH", help="A network, or none. By default whichever suits FILE.")
@console.preset
@console.no_mix
@console.media
@click.option("--no-peers", is_flag=True, help="Do not compress with others for comparison.")
@console.threads
def command(
    files: tuple[str, ...],
    target: str,
    force: bool,
    model: str | None,
    preset: str | None,
    no_mix: bool,
    media: str,
    no_peers: bool,
    threads: int,
) -> None:
    """Make one page about FILEs, .arc files or others: the account, and the bits of every character or pixel.

    The page needs nothing else: no network, no server. It shows what was expected at each character, the dearest
    symbols, each expert's share, and what other compressors make of the file.
    """
    from arcodec import codec, container
    from arcodec.files import replacing
    from arcodec.report import plots
    from arcodec.report.file import as_page

    console.check_target(target, force)
    plots.need()
    about: list[About] = []
    contents: dict[str, bytes] = {}

    def load(name: str) -> None:
        contents[name], _ = transfer.read(name)

    console.for_each(list(files), load)  # so that nothing is coded where something is missing

    def one(name: str) -> None:
        data = contents[name]
        if data.startswith(container.MAGIC):
            done = codec.audited(data, model, threads=threads)
        else:
            done = codec.measured(
                data, model, preset=preset or "default", mix=not no_mix, media=media, threads=threads, detailed=True
            )
        about.append(_about(name, done, model, threads, peers=not no_peers))

    console.for_each(list(files), one)
    with replacing(Path(target), overwrite=force) as file:
        file.write(as_page(about).encode())


def _about(name: str, done: Compressed, model: str | None, threads: int | None, peers: bool) -> About:
    from arcodec.report.file import About

    assert done.symbol_bits is not None
    shown, original = "standard input" if name == "-" else Path(name).name, bytes(done.original)
    if done.picture is not None:
        view, sizes, missing = _picture(done, done.picture, peers)
        return About(shown, view.samples.tobytes(), done.ledger, done.symbol_bits, [], sizes, missing, view)
    sizes, missing = _sizes(original) if peers else ({}, [])
    windows = _windows(original, done, model, threads)
    return About(shown, original, done.ledger, done.symbol_bits, windows, sizes, missing)


def _picture(done: Compressed, picture: Picture, peers: bool) -> tuple[View, dict[str, int], list[str]]:
    import numpy as np

    from arcodec.bench import picture_peers
    from arcodec.report.picture import View

    samples = done.samples
    assert done.symbol_bits is not None
    assert samples is not None
    depth = picture.file_depth
    view = View(samples, done.symbol_bits.reshape(samples.shape), depth, picture.parted)
    if not peers:
        return view, {}, []
    found, missing = picture_peers.available()
    if depth not in (1, 8) or picture.channels == 2:
        kind = "grey with alpha" if picture.channels == 2 else f"{depth} bits a sample"
        return view, {}, [f"{peer.name} (not for {kind})" for peer in found] + missing
    array = samples[..., 0].astype(bool) if depth == 1 else samples.astype(np.uint8)
    sizes, failed = _sizes_by(found, picture_peers.pnm(array))
    return view, {peer.name: sizes[peer.name] - peer.extra for peer in found if peer.name in sizes}, failed + missing


def _windows(original: bytes, done: Compressed, model: str | None, threads: int | None) -> list[Window]:
    """The stretches to be shown, and what was expected there."""
    import numpy as np

    from arcodec.guesses import likeliest
    from arcodec.report.file import GUESSES, Window, windows_of

    parts = [slice(start, stop) for start, stop in windows_of(len(original), _SHOWN)]
    wanted = np.zeros(len(original), bool)
    for part in parts:
        wanted[part] = True
    guesses, shares = likeliest(done.data, original, wanted, GUESSES, model, threads)
    return [Window(part.start, guesses[part], shares[part]) for part in parts]


def _sizes(original: bytes) -> tuple[dict[str, int], list[str]]:
    from arcodec.bench.peers import available

    peers, missing = available()
    sizes, failed = _sizes_by(peers, original)
    return sizes, failed + missing


def _sizes_by(peers: Sequence[Peer], original: bytes) -> tuple[dict[str, int], list[str]]:
    """Sizes by name, and who could not do it."""
    from arcodec.bench.measure import round_trip_size

    sizes, failed = {}, []
    for peer in peers:
        try:
            sizes[peer.name] = round_trip_size(original, peer.compress, peer.decompress)
        except Exception as error:  # whatever somebody else's library raises, the page is of ours
            failed.append(f"{peer.name} (failed: {str(error).splitlines()[0] if str(error) else type(error).__name__})")
    return sizes, failed
