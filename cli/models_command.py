"""arcodec models"""

from __future__ import annotations

import json
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
                "family": m.design.family,
                "config": m.design.settings(),
                "multiply_adds": m.design.layers().macs(),
                "for_each": "pixel" if m.design.of_pictures else "byte",
                "file_bytes": m.size,
                "sha256": m.identity,
                "base": m.base.identity if m.base else None,
                "conformance": m.conformance,
                "path": str(m.path),
            }
            for m in models
        ]
        click.echo(json.dumps(entries, indent=2))
        return
    click.echo(f"{'name':20} {'identity':8}  {'base':6}  {'family':12} {'multiply-adds':>14}  {'file bytes':>11}  path")
    for m in models:
        base = m.base.name if m.base else ""
        click.echo(
            f"{f'{m.name} {_mark(m)}':20} {m.identity[:8]}  {base:6}  {m.design.family:12} "
            f"{m.design.layers().macs():14,}  {m.size:11,}  {m.path}"
        )
    click.echo(
        "multiply-adds: a byte, or for family pixels a pixel; * what is used if nothing else is named; + or one of"
    )
    click.echo("these, if a sample of the file costs it fewer bits; base: the model whose tables it uses")


def _mark(model: Model) -> str:
    from arcodec.models import store

    if model.path.parent != store.SHIPPED:
        return ""
    return "*" if model.name in store.DEFAULTS else "+" if model.name in store.FINE_TUNED else ""
