"""python -m arcodec.bench WHAT FOLDER...: the tables of docs/BENCHMARKS.md."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from . import accounts, corpora, known, pictures, sameness, speed, validation
from .measure import machine

_WHAT = ("corpora", "files", "messages", "accounts", "speed", "memory", "sameness", "sources", "validation", "learning")
_PICTURES = ("photographs", "once-jpeg", "drawings", "small-pictures", "picture-speed", "large-picture")


def _lines(options: argparse.Namespace) -> Iterator[str]:
    if options.what == "sources":
        return known.known()
    if options.what == "drawings":
        return pictures.table(pictures.drawings(), options.preset or ["fast", "default"])
    if not options.data:
        raise SystemExit(f"python -m arcodec.bench {options.what}: name the data's folder")
    data, presets = options.data[0], options.preset or ["fast", "default"]
    match options.what:
        case "corpora":
            return corpora.corpora(data, presets)
        case "files":
            return corpora.files(options.data, options.limit)
        case "messages":
            return corpora.messages(data)
        case "accounts":
            return accounts.accounts(data)
        case "speed":
            return speed.speeds(data, presets)
        case "memory":
            return speed.memory(data, options.megabytes, presets[0])
        case "photographs":
            return pictures.table(pictures.photographs(options.data), presets)
        case "once-jpeg":
            return pictures.table(pictures.once_jpeg(pictures.photographs(options.data)), presets)
        case "small-pictures":
            return pictures.table(pictures.digits_and_thumbnails(data), presets)
        case "picture-speed":
            return pictures.speeds(list(pictures.photographs(options.data))[-1][1], presets, options.megapixels)
        case "large-picture":
            return pictures.large(list(pictures.photographs(options.data))[-1][1])
        case "sameness":
            return sameness.sameness(data, presets)
        case "learning":
            models = options.model or ["text"]
            return validation.learning(options.data, models[0], options.limit, *models[1:2])
        case _:
            return validation.table(options.data, options.model or ["text"], options.limit, options.pieces)


def main() -> None:
    """Print the tables asked for as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m arcodec.bench", description=__doc__)
    parser.add_argument("what", choices=[*_WHAT, *_PICTURES])
    parser.add_argument(
        "data",
        type=Path,
        nargs="*",
        help="folder with calgary/ and canterbury/; for messages with train/ and valid/; for validation and learning, "
        "categories; for files, any folders; for pictures, those; for small-pictures with mnist/ and cifar10-4k/",
    )
    parser.add_argument(
        "--model",
        action="append",
        help="name or path of a model, for validation (several) and learning (one, and another beside it)",
    )
    parser.add_argument("--preset", action="append", help="for corpora, speed, memory and sameness; may be repeated")
    parser.add_argument("--megapixels", type=int, default=16, help="largest picture of picture-speed (16)")
    parser.add_argument("--megabytes", type=int, default=100, help="of the input for memory (100)")
    parser.add_argument(
        "--limit",
        type=int,
        default=200_000,
        help="bytes of each category for validation and learning, of each folder for files (200,000)",
    )
    parser.add_argument("--pieces", type=int, default=32, help="that these are cut into for validation (32)")
    options = parser.parse_args()
    print(f"Machine: {machine()}.\n", flush=True)
    for line in _lines(options):
        print(line, flush=True)


main()
