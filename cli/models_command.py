"""arcodec models"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import console

if TYPE_CHECKING:
    from arcodec.models.file import Model


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array with every figure.")
def command(as_json: bool) -> None:
    """Show the models at hand: those that ship, and those in the folders of ARCODEC_MODELS."""
    from arcodec.models import store

    models = []

    def one(path: str) -> None:
        models.append(store.at(Path(path)))

    try:
        console.for_each([str(path) for path in store.paths()], one)
    finally:
        _show(models, as_json)


def _show(models: list[Model], as_json: bool) -> None:
    if as_json:
        entries = [
            {
                "name": m.name,
                "default": _mark(m) == "*",
                "tried": _mark(m) == "+",
                "beside_at_best": _mark(m) == "&",
                "family": m.design.family,
                "config": m.design.settings(),
                "multiply_adds": m.design.layers().macs(),
                "for_each": "pixel" if m.design.of_pictures else "byte",
                "file_bytes": m.size,
                "bytes_on_disk": m.path.stat().st_size,  # fewer, if it is kept as a difference
                "sha256": m.identity,
                "base": m.base.identity if m.base else None,
                "conformance": m.conformance,
                "path": str(m.path),
            }
            for m in models
        ]
        click.echo(json.dumps(entries, indent=2))
        return
    for (foreign, spare, folder), group in groupby(sorted(models, key=_place), key=_place):
        why = ", to read what they wrote, and to compare" if spare and not foreign else ""
        click.echo(f"in {folder}{why}:")
        click.echo(f"{'name':19} identity  {'base':10}  {'family':11} {'multiply-adds':>13} {'on disk':>10}")
        for m in group:
            base = m.base.name if m.base else ""
            click.echo(
                f"{f'{m.name} {_mark(m)}':19} {m.identity[:8]}  {base:10}  {m.design.family:11} "
                f"{m.design.layers().macs():13,} {m.path.stat().st_size:10,}"
            )
        click.echo()
    click.echo("multiply-adds: a byte, or for family pixels a pixel; * what is used if nothing")
    click.echo("else is named; + or one of these, if a sample of the file costs it fewer bits;")
    click.echo("& may stand beside these at best; base: the model whose tables it uses")


def _place(model: Model) -> tuple[bool, bool, str]:
    """What it is listed by: whether it is a stranger's, whether it is used only if it is named, and its folder."""
    from arcodec.models import store

    return model.path.parent != store.SHIPPED, not _mark(model), str(model.path.parent)


def _mark(model: Model) -> str:
    from arcodec.models import store

    if model.path.parent != store.SHIPPED:
        return ""
    marks = dict.fromkeys(store.DEFAULTS, "*") | dict.fromkeys(store.FINE_TUNED, "+") | {store.LARGE: "&"}
    return marks.get(model.name, "")
