"""Where models are found: those that ship, those in ARCODEC_MODELS, and any path."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError, UsageError
from .engine import NetworkEngine
from .file import Model, conformance_codes, conformance_symbols, digest, digest_of_answers, identity_of, load

if TYPE_CHECKING:
    from ..exact.stack import StackProgram
    from .compiled import CompiledEngine

SHIPPED = Path(__file__).parent.parent / "weights"
TEXT, PHOTOGRAPHS, THUMBNAILS = DEFAULTS = (
    "text",
    "photographs",
    "thumbnails",
)  # of bytes; of pictures, large and small
_DIFFERS = (
    "engine {engine!r} does not compute model {model!r} as it was trained; what it wrote could not be read elsewhere. "
    "Run 'arcodec doctor' and report what it says"
)
_DEVICE = re.compile(r"(cuda|mps|xpu)(:[0-9]+)?")


def paths() -> Iterator[Path]:
    """Every model file at hand: the shipped ones, then those in the folders ARCODEC_MODELS lists (as PATH does)."""
    folders = [SHIPPED, *(Path(f) for f in os.environ.get("ARCODEC_MODELS", "").split(os.pathsep) if f)]
    for folder in folders:
        yield from sorted(path for path in folder.glob("*.safetensors") if path.is_file())


@lru_cache(maxsize=8)
def _load(path: Path, size: int, changed: int) -> Model:
    return load(path)


def _loaded(path: Path) -> Model:
    """The model, read once as long as its file does not change."""
    status = path.stat()
    return _load(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _identity(path: Path, size: int, changed: int) -> str:
    return identity_of(path)


def known_by(prefix: str) -> Iterator[Path]:
    """The models whose sha-256 begins with these hexadecimal digits."""
    for path in paths():
        status = path.stat()
        if _identity(path, status.st_size, status.st_mtime_ns).startswith(prefix):
            yield path


def find(name: str) -> Model:
    """A model by its name or by the path of its file. Raises ModelError if there is none."""
    for path in paths():
        if path.stem == name:
            return _loaded(path)
    if Path(name).is_file():
        return _loaded(Path(name).resolve())
    known = ", ".join(path.stem for path in paths()) or "none"
    raise ModelError(f"no model {name!r}: known by name are {known}; or give the path of a model file")


def find_by_prefix(prefix: bytes, extra: str | None = None) -> Model:
    """The model an .arc file names by the first bytes of its sha-256, also looking at the path ``extra``.

    Raises ModelError if it is not at hand.
    """
    model = None if extra is None else find(extra)
    if model is not None and model.prefix == prefix:
        return model
    for path in known_by(prefix.hex()):
        return _loaded(path)
    if model is not None:
        raise ModelError(f"the file needs model {prefix.hex()}, and {extra} is model {model.prefix.hex()}")
    raise ModelError(
        f"the file needs model {prefix.hex()}, which is not among those at hand: "
        "give its file with --model, or put it into a folder named in ARCODEC_MODELS"
    )


def verified(model: Model, engine: NetworkEngine) -> None:
    """Raise ModelError unless the engine gives the frequencies that the model's file demands."""
    if digest(engine.frequencies(conformance_symbols())) != model.conformance:
        raise ModelError(_DIFFERS.format(engine=engine.name, model=model.name))


def compiled(model: Model, threads: int) -> CompiledEngine:
    """The compiled engine, verified when it is first taken up, which costs a few hundredths of a second."""
    return _compiled(model.identity, model.path, threads)


def _same(path: Path, identity: str) -> Model:
    model = _loaded(path)
    if model.identity != identity:
        raise ModelError(f"{path} changed while it was in use: try again")
    return model


@lru_cache(maxsize=4)
def _compiled(identity: str, path: Path, threads: int) -> CompiledEngine:
    from .compiled import CompiledEngine

    model = _same(path, identity)
    engine = CompiledEngine(model, threads)
    verified(model, engine)
    return engine


def stack_program(model: Model) -> StackProgram:
    """A network that predicts pixels, compiled and verified. Raises UsageError if it predicts bytes, and ModelError."""
    return _stack_program(model.identity, model.path)


@lru_cache(maxsize=4)
def _stack_program(identity: str, path: Path) -> StackProgram:
    from ..exact.stack import answers, compile_stacks

    model = _same(path, identity)
    stacks = model.design.stacks()
    program = compile_stacks(stacks, model.tensors)
    stack = stacks.stacks[0]
    if digest_of_answers(answers(program, conformance_codes(stack.inputs), stack.outputs)) != model.conformance:
        raise ModelError(_DIFFERS.format(engine="compiled", model=model.name))
    return program


def engine_for(model: Model, device: str = "cpu", threads: int = 1) -> NetworkEngine:
    """A verified engine: compiled for ``cpu``, torch for ``torch`` (on the CPU), ``cuda`` and torch's other devices."""
    if device == "cpu":
        return compiled(model, threads)
    if device != "torch" and not _DEVICE.fullmatch(device):
        raise UsageError(f"no device {device!r}: use cpu, torch, cuda or cuda:N")
    return _wide(model.identity, model.path, "cpu" if device == "torch" else device)


@lru_cache(maxsize=4)
def _wide(identity: str, path: Path, device: str) -> NetworkEngine:
    from .wide import TorchEngine

    model = _same(path, identity)
    engine = TorchEngine(model, device)
    verified(model, engine)
    return engine
