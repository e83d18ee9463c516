"""arcodec list"""

from __future__ import annotations

import json
from typing import Any

import click

from . import console, transfer


def _entry(name: str) -> dict[str, Any]:
    from arcodec import container

    data, _ = transfer.read(name)
    members = list(container.members(data))
    original = sum(member.header.original_bytes for member in members)
    headers = [member.header for member in members]
    prefixes = dict.fromkeys(prefix.hex() for header in headers for prefix in (header.model, header.beside) if prefix)
    return {
        "file": name,
        "original_bytes": original,
        "file_bytes": len(data),
        "bits_per_byte": 8 * len(data) / original if original else 0.0,
        "members": len(members),
        "blocks": sum(member.header.blocks for member in members),
        "stored_blocks": sum(block.stored for member in members for block in member.blocks),
        "models": [{"prefix": prefix, "name": _name_of(prefix)} for prefix in prefixes],
    }


def _name_of(prefix: str) -> str | None:
    from arcodec.models import store

    return next((path.stem for path in store.known_by(prefix)), None)


@click.command()
@console.some_files
@console.recursive
@click.option("--json", "as_json", is_flag=True, help="One JSON array with every figure.")
def command(files: tuple[str, ...], recursive: bool, as_json: bool) -> None:
    """Show sizes, blocks and models of each FILE, without decoding it."""
    entries: list[dict[str, Any]] = []
    try:
        console.for_each(transfer.packed(files, recursive), lambda name: entries.append(_entry(name)))
    finally:
        if as_json:
            click.echo(json.dumps(entries, indent=2))
        elif entries:
            click.echo(f"{'original':>14}  {'compressed':>14}  {'bits/byte':>9}  {'blocks':>6}  {'model':22}  file")
            for e in entries:
                models = ", ".join(m["name"] or m["prefix"] for m in e["models"]) or "none"
                sizes = f"{e['original_bytes']:14,}  {e['file_bytes']:14,}  {e['bits_per_byte']:9.4f}"
                click.echo(f"{sizes}  {e['blocks']:6}  {models:22}  {e['file']}")
