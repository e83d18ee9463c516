"""arcodec doctor"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from arcodec.errors import ModelError

from . import console

if TYPE_CHECKING:
    from arcodec.models.engine import NetworkEngine
    from arcodec.models.file import Model


@click.command()
@click.option("--no-torch", is_flag=True, help="Check the compiled engine only.")
def command(no_torch: bool) -> None:
    """Run every model on every engine and device of this machine and compare with what its file demands.

    Exit code 5 if any differs: such an engine is refused everywhere else, too.
    """
    from arcodec.mixing.engine import conforms
    from arcodec.mixing.pixels import engine as pixels
    from arcodec.mixing.pixels.team import TEAMS as PICTURE_TEAMS
    from arcodec.mixing.team import TEAMS
    from arcodec.models import store
    from arcodec.models.compiled import CompiledEngine
    from arcodec.models.file import conformance_symbols, digest

    click.echo(f"python {platform.python_version()}, {platform.system()} {platform.machine()}")
    engines: dict[str, Callable[[Model], NetworkEngine]] = {
        "compiled": lambda model: CompiledEngine(store.unverified(model))
    }
    if not no_torch:
        engines |= _torch_engines()
    symbols = conformance_symbols()
    failed = False
    click.echo(f"{'model':24} {'engine':22} {'conformance':12} {'one sequence':>14}")
    for path in store.paths():
        try:
            model = store.at(path)
        except ModelError as error:
            console.complain(str(error))
            failed = True
            continue
        if model.design.of_pictures:
            failed |= not _answers_agree(model, not no_torch)
            continue
        for name, make in engines.items():
            engine = make(model)
            engine.frequencies(symbols[:8])  # compile
            start = time.perf_counter()
            agrees = digest(engine.frequencies(symbols)) == model.conformance
            speed = len(symbols) / (time.perf_counter() - start) / 1e3
            failed |= not agrees
            click.echo(f"{model.name:24} {name:22} {_word(agrees):12} {speed:9.1f} KB/s")
    teams = [(f"experts, {team.name}", conforms(team)) for team in TEAMS.values()]
    teams += [(f"pictures, {team.name}", pixels.conforms(team)) for team in PICTURE_TEAMS]
    for name, holds in (*teams, ("range coder", _coders_agree())):
        failed |= not holds
        click.echo(f"{name:34} {'compiled':12} {_word(holds)}")
    if failed:
        console.complain("not everything computes here what it should: what differs is refused everywhere else, too")
        sys.exit(5)


def _word(agrees: bool) -> str:
    return "same" if agrees else "DIFFERENT"


def _answers_agree(model: Model, with_torch: bool) -> bool:
    """Whether a network that predicts pixels answers what its file demands, on every engine; prints what it finds."""
    from arcodec.exact.stack import answers, compile_stacks
    from arcodec.models.file import conformance_codes, digest_of_answers

    stacks = model.design.stacks()
    codes, outputs = conformance_codes(stacks.stacks[0].inputs), stacks.stacks[0].outputs
    found = {"compiled": answers(compile_stacks(stacks, model.tensors), codes, outputs)}
    if with_torch:
        from arcodec.models.wide import stack_answers

        found |= {f"torch cpu {product}": stack_answers(model, codes, product) for product in ("float32", "int8")}
    for name, given in found.items():
        click.echo(f"{model.name:24} {name:22} {_word(digest_of_answers(given) == model.conformance):12}")
    return all(digest_of_answers(given) == model.conformance for given in found.values())


def _coders_agree() -> bool:
    """Whether the compiled range coder writes what constriction writes."""
    import numpy as np

    from arcodec.coding import CODERS
    from arcodec.frequencies import from_weights
    from arcodec.models.loops import encode_weights

    weights = np.random.default_rng(0).integers(1, 1 << 24, (2000, 256))
    symbols = weights.argmax(1)
    return np.array_equal(encode_weights(weights, symbols), CODERS["range"].encode(symbols, from_weights(weights)))


def _torch_engines() -> dict[str, Callable[[Model], NetworkEngine]]:
    import torch

    from arcodec.models.wide import TorchEngine

    click.echo(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    found: dict[str, Callable[[Model], NetworkEngine]] = {
        "torch cpu float32": lambda model: TorchEngine(model, "cpu", "float32"),
        "torch cpu int8": lambda model: TorchEngine(model, "cpu", "int8"),
    }
    for number in range(torch.cuda.device_count()):
        device = f"cuda:{number}"
        found[f"torch {device} float32"] = lambda model, device=device: TorchEngine(model, device)  # type: ignore[misc]
    return found
