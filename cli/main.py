"""The command and its subcommands. Each subcommand is a file of this folder and is imported only when it is called."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading

import click

from .pipe import ClosedPipe

SUBCOMMANDS = {
    "compress": "Compress files, or standard input.",
    "decompress": "Give back what was compressed.",
    "test": "Decode and check, and write nothing.",
    "list": "Show what .arc files hold.",
    "cat": "Decompress to standard output.",
    "ledger": "Show where every bit of a file went.",
    "report": "Make a page: the bits of every character.",
    "sample": "Draw symbols from a source of known entropy.",
    "bench": "Compare with other compressors.",
    "lab": "Run the experiments: theory beside measurement.",
    "models": "Show the models at hand.",
    "train": "Train a model.",
    "doctor": "Check that this machine computes every model exactly.",
}


class Subcommands(click.Group):
    """Knows the names and one line about each without importing them, so that help comes at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f".{cmd_name}_command", __package__)
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


def _version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"arcodec {version('arcodec')}")
        ctx.exit()


@click.group(cls=Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, callback=_version, expose_value=False, is_eager=True, help="Show the version.")
def cli() -> None:
    """Lossless compression with learned models, exact on every machine.

    Exit codes: 0 fine, 1 error, 2 usage, 3 some of several inputs failed, 4 damaged input, 5 model missing or
    different, 6 limit exceeded.
    """


def _await_signals(numbers: set[signal.Signals]) -> None:
    """Wait for one of the signals, leave no half-written file, and let it take its own effect.

    In a thread of its own, because the main one may be inside a compiler for half a minute, and Python's handlers wait.
    """
    number = signal.sigwait(numbers)
    from arcodec.files import discard_unfinished

    discard_unfinished()
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), b"\x1b[?25h\n")  # a progress bar hides the cursor
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)


def _end_cleanly_by_signals() -> None:
    """Have signals that end the process end it at once, whatever its threads do. Windows has no such signals."""
    if not hasattr(signal, "pthread_sigmask"):
        return
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    numbers = {number for number in ending if signal.getsignal(number) != signal.SIG_IGN}
    if numbers:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)  # before there are threads, which inherit it
        threading.Thread(target=_await_signals, args=(numbers,), daemon=True).start()


def main() -> None:
    """The console script."""
    _end_cleanly_by_signals()
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except ClosedPipe:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.raise_signal(signal.SIGPIPE)
    except click.ClickException as error:
        from .console import complain

        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            error.show()
        else:
            complain(error.format_message().replace("\n", " "))
        sys.exit(error.exit_code)
    except (Exception, click.Abort) as error:
        from .console import complain, describe, exit_code_of

        complain(describe(error))
        sys.exit(exit_code_of(error))


if __name__ == "__main__":
    main()
