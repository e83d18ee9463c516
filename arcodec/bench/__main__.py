"""python -m arcodec.bench corpora|messages|presets|text|speed|memory|validation: the tables of docs/BENCHMARKS.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import corpora, text, validation
from .measure import machine

_WHAT = ("corpora", "messages", "presets", "text", "speed", "memory", "validation")


def main() -> None:
    """Print the tables asked for as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m arcodec.bench", description=__doc__)
    parser.add_argument("what", choices=list(_WHAT))
    parser.add_argument(
        "data",
        type=Path,
        nargs="+",
        help="folder with calgary/ and canterbury/; for messages with train/ and valid/; for validation, categories",
    )
    parser.add_argument("--model", action="append", help="name or path of a model; several for validation")
    parser.add_argument("--preset", action="append", help="for corpora; fast and default if none is given")
    parser.add_argument("--megabytes", type=int, default=100, help="of the input for memory (100)")
    parser.add_argument("--limit", type=int, default=200_000, help="bytes of each category for validation (200,000)")
    options = parser.parse_args()
    models = options.model or ["text"]
    data, model = options.data[0], models[0]
    print(f"Machine: {machine()}.\n", flush=True)
    match options.what:
        case "corpora":
            presets = tuple(options.preset) if options.preset else ("fast", "default")
            parts = [corpora.corpora(data, presets)]
        case "messages":
            parts = [corpora.messages(data)]
        case "presets":
            parts = [corpora.speeds(data)]
        case "text":
            parts = [text.sizes_and_accounts(data, model)]
        case "speed":
            parts = [text.speeds(data, model)]
        case "memory":
            parts = [text.memory(data, model, options.megabytes)]
        case _:
            parts = [validation.table(options.data, models, options.limit)]
    for part in parts:
        for line in part:
            print(line, flush=True)


main()
