"""What all subcommands do alike: errors, options, progress."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import click

from arcodec.errors import ArcodecError, UsageError

from .pipe import ClosedPipe

_Command = TypeVar("_Command", bound=Callable[..., Any])

SOME_FAILED = 3
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def complain(message: str) -> None:
    """One line on standard error."""
    click.echo(f"arcodec: {message}", err=True)


def exit_code_of(error: BaseException) -> int:
    """The exit code that stands for an error."""
    return error.exit_code if isinstance(error, ArcodecError) else 1


def describe(error: BaseException) -> str:
    """An error's message in one line, also for those of the operating system."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return str(error) or type(error).__name__


def for_each(names: list[str], action: Callable[[str], None]) -> None:
    """Do something with each input and go on after a failure; exit with its code, or with 3 for several inputs."""
    failures = []
    for name in names:
        try:
            action(name)
        except BrokenPipeError:
            raise ClosedPipe from None
        except (ArcodecError, OSError, MemoryError) as error:
            message = describe(error)
            complain(message if name in message else f"{name}: {message}")
            failures.append(error)
    if failures:
        sys.exit(SOME_FAILED if len(names) > 1 else exit_code_of(failures[0]))


class Size(click.ParamType):
    """A number of bytes with an optional K, M, G or T (powers of 1024)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).upper().removesuffix("IB").removesuffix("B")
        number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS and text else (text, "")
        if not number.isdigit():
            self.fail(f"{value!r} is not a size: write a whole number of bytes, or one with K, M, G or T", param, ctx)
        return int(number) * UNITS[unit]


def options(*decorators: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Several options as one decorator, in the order of the help page."""

    def apply(command: _Command) -> _Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


files = click.argument("files", nargs=-1, metavar="[FILE]...")
some_files = click.argument("files", nargs=-1, required=True, metavar="FILE...")
threads = click.option("-T", "threads", type=click.IntRange(0), default=0, metavar="N", help="Cores to use; 0 for all.")
device = click.option(
    "--device", default="cpu", metavar="D", help="cpu (default), or torch, cuda, cuda:N, where torch runs the network."
)
max_output_size = click.option(
    "--max-output-size", type=Size(), metavar="S", help="Refuse what would give more, as 100M."
)
preset = click.option(
    "--preset",
    type=click.Choice(["fast", "default", "best"]),
    help="fast: experts that learn from the data, no network. default: a network for text with more of them. "
    "best: more memory, and the network learns from the data, too, beside a large one where that helps; in large "
    "blocks, on one core each, or two beside a large one; slow.",
)
no_mix = click.option("--no-mix", is_flag=True, help="The network alone, without experts that learn from the data.")
media = click.option(
    "--media",
    type=click.Choice(["auto", "bytes", "image"]),
    default="auto",
    help="Take the data as a picture if they are one (auto), as bytes, or as a picture or not at all.",
)
quiet = click.option("-q", "quiet", is_flag=True, help="Say nothing but errors.")
max_memory = click.option(
    "--max-memory",
    type=Size(),
    metavar="S",
    help="What experts and what a network learns may take, by default half the memory: fewer cores are used if need "
    "be. A block of the usual size takes 68M at fast, 136M at default (156M without a network), 1.7G at best; one of "
    "some kilobytes 20M to 32M, 40M to 80M, 50M to 90M. Python, the network and the data take some 250M more.",
)
reading = options(
    threads,
    max_output_size,
    max_memory,
    click.option("--model", metavar="NAME|PATH", help="Where the model is, if it is not among those at hand."),
    device,
)  # the settings of codec.iter_decompressed
verbose = click.option("-v", "verbose", is_flag=True, help="Say what was done.")
recursive = click.option(
    "-r", "recursive", is_flag=True, help="Take the files in folders, too, except symbolic links in them."
)
output = options(
    click.option("-o", "target", metavar="OUT", help="Write to this file."),
    click.option("-c", "to_stdout", is_flag=True, help="Write to standard output; keep the sources."),
    click.option("-k", "keep", is_flag=True, help="Keep the sources (the default)."),
    click.option("--rm", "remove", is_flag=True, help="Remove each source once its result is written and verified."),
    click.option("-f", "force", is_flag=True, help="Overwrite files, and write compressed data to a terminal."),
    recursive,
)


@lru_cache(maxsize=1)  # once a process
def _announce_compiling() -> None:
    complain("compiling kernels for this machine: half a minute, once")


@contextmanager
def progress(total: int, label: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on standard error if that is a terminal; call the result with the bytes done."""
    if quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from arcodec.jit import before_compiling

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    lock = threading.Lock()
    console = Console(stderr=True)
    with before_compiling(_announce_compiling), Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)

        def advance(done: int) -> None:
            with lock:
                bar.advance(task, done)

        yield advance


def check_target(name: str | None, force: bool) -> None:
    """Raise UsageError, before anything runs, for an output that could not be written in the end."""
    if name is None:
        return
    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{name} is a folder: name a file")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: no such folder")
    if path.exists() and not force:
        raise UsageError(f"{name} exists: give -f to overwrite it")
