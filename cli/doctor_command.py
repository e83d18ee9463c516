"""arcodec doctor"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from arcodec.models.engine import Engine
    from arcodec.models.file import Model


@click.command()
@click.option("--no-torch", is_flag=True, help="Check the compiled engine only.")
def command(no_torch: bool) -> None:
    """Run every model on every engine and device of this machine and compare with what its file demands.

    Exit code 5 if any differs: such an engine is refused everywhere else, too.
    """
    from arcodec.models import store
    from arcodec.models.compiled import CompiledEngine
    from arcodec.models.file import conformance_symbols, digest, load

    click.echo(f"python {platform.python_version()}, {platform.system()} {platform.machine()}")
    engines: dict[str, Callable[[Model], Engine]] = {"compiled": CompiledEngine}
    if not no_torch:
        engines |= _torch_engines()
    symbols = conformance_symbols()
    failed = False
    click.echo(f"{'model':18} {'engine':22} {'conformance':12} {'one sequence':>14}")
    for path in store.paths():
        model = load(path)
        for name, make in engines.items():
            engine = make(model)
            engine.frequencies(symbols[:8])  # compile
            start = time.perf_counter()
            agrees = digest(engine.frequencies(symbols)) == model.conformance
            speed = len(symbols) / (time.perf_counter() - start) / 1e3
            failed |= not agrees
            click.echo(f"{model.name:18} {name:22} {'same' if agrees else 'DIFFERENT':12} {speed:9.1f} KB/s")
    if failed:
        click.echo("arcodec: an engine computes other frequencies than the models demand; do not use it", err=True)
        sys.exit(5)


def _torch_engines() -> dict[str, Callable[[Model], Engine]]:
    import torch

    from arcodec.models.wide import TorchEngine

    click.echo(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    found: dict[str, Callable[[Model], Engine]] = {
        "torch cpu float32": lambda model: TorchEngine(model, "cpu", "float32"),
        "torch cpu int8": lambda model: TorchEngine(model, "cpu", "int8"),
    }
    for number in range(torch.cuda.device_count()):
        device = f"cuda:{number}"
        found[f"torch {device} float32"] = lambda model, device=device: TorchEngine(model, device)  # type: ignore[misc]
    return found
