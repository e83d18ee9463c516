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
    from arcodec.models import store

    if as_json:
        entries = [
            {
                "name": m.name,
                "default": m.name in (*store.DEFAULTS, *store.FINE_TUNED),
                "family": m.design.family,
                "config": m.design.settings(),
                "multiply_adds": m.design.layers().macs(),
                "for_each": "pixel" if m.design.of_pictures else "byte",
                "file_bytes": m.size,
                "sha256": m.identity,
                "base": m.base or None,
                "conformance": m.conformance,
                "path": str(m.path),
            }
            for m in models
        ]
        click.echo(json.dumps(entries, indent=2))
        return
    click.echo(f"{'name':18} {'identity':8}  {'base':8}  {'family':12} {'multiply-adds':>14}  {'file bytes':>11}  path")
    for m in models:
        name = m.name + (" *" if m.name in (*store.DEFAULTS, *store.FINE_TUNED) else "")
        click.echo(
            f"{name:18} {m.identity[:8]}  {m.base[:8]:8}  {m.design.family:12} {m.design.layers().macs():14,}  "
            f"{m.size:11,}  {m.path}"
        )
    click.echo("multiply-adds: a byte, or for family pixels a pixel; * what is used if nothing else is named")
