"""Where models are found: those that ship, those in ARCODEC_MODELS, and any path."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError, UsageError
from . import kept
from .engine import NetworkEngine
from .file import Model, conformance_codes, conformance_symbols, digest, digest_of_answers, identity_of, load

if TYPE_CHECKING:
    from ..exact.program import Program
    from ..exact.stack import StackProgram
    from .compiled import CompiledEngine

SHIPPED = Path(__file__).parent.parent / "weights"
TEXT, PHOTOGRAPHS, THUMBNAILS = DEFAULTS = (
    "text",
    "photographs",
    "thumbnails",
)  # of bytes; of pictures, large and small
LARGE = "text-large"  # at best, beside one of the others, which learns (docs/MODELS.md)
# Trained on from TEXT, to a kind of text, a language or a format; tried on every text (docs/MODELS.md).
FINE_TUNED = tuple(
    f"{TEXT}-{kind}"
    for kind in (
        "prose",
        "encyclopedic",
        "docs",
        "html",
        "markdown",
        "man",
        "code",
        "c",
        "java",
        "csharp",
        "kotlin",
        "go",
        "rust",
        "python",
        "web",
        "scripts",
        "code-other",
        "data",
        "tables",
        "po",
        "langs",
        "romance",
        "germanic",
        "slavic",
        "cjk",
    )
)
_AT_HAND = 9 + len(FINE_TUNED)  # models kept in memory: all that are tried on a text, and some more
_LONGEST_CHAIN = 16  # of models that are kept beside others (see kept)
_DIFFERS = (
    "engine {engine!r} does not compute model {model!r} as it was trained; what it wrote could not be read elsewhere. "
    "Run 'arcodec doctor' and report what it says"
)
_DEVICE = re.compile(r"(cuda|mps|xpu)(:[0-9]+)?")


def paths() -> Iterator[Path]:
    """Every model file at hand: the shipped ones, then those in the folders ARCODEC_MODELS lists (as PATH does)."""
    folders = [SHIPPED, *(Path(f) for f in os.environ.get("ARCODEC_MODELS", "").split(os.pathsep) if f)]
    for folder in folders:
        yield from _in(folder)


def _in(folder: Path) -> list[Path]:
    endings = (".safetensors", kept.SUFFIX)
    return sorted(path for path in folder.glob("*.*") if path.suffix in endings and path.is_file())


@lru_cache(maxsize=_AT_HAND)
def _load(path: Path, size: int, changed: int) -> Model:
    return load(path, lambda identity: at(_known(path, identity, "it is fine-tuned from")), _content)


def at(path: Path) -> Model:
    """The model in this file, read once as long as the file does not change. Raises ModelError."""
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(f"{path} is not a model file: {error}") from None
    return _load(path, status.st_size, status.st_mtime_ns)


def _content(path: Path, deep: int = _LONGEST_CHAIN) -> bytes:
    """A model's file, also if it is kept as what it differs in from a younger one's. Raises ModelError and OSError."""
    content = path.read_bytes()
    if path.suffix != kept.SUFFIX:
        return content
    if not deep:
        raise ModelError(f"{path} is kept beside a model that is kept beside another, and so on: too many")

    def younger(identity: str) -> bytes:
        return _content(_known(path, identity, f"{path} is kept as what differs from"), deep - 1)

    return kept.restored(path, content, younger)


def _known(path: Path, identity: str, tied: str) -> Path:
    """The file, among those at hand or beside it, of the model without which the one in this file cannot be read."""
    for other in known_by(identity, _in(path.parent)):
        return other
    raise ModelError(
        f"{tied} model {identity[:8]}, which is not at hand: put that beside it, or into a folder named in "
        "ARCODEC_MODELS"
    )


@lru_cache(maxsize=64)
def _identity(path: Path, size: int, changed: int) -> str:
    return kept.identity_of(path) if path.suffix == kept.SUFFIX else identity_of(path)


def known_by(prefix: str, others: Iterable[Path] = ()) -> Iterator[Path]:
    """The models, of those at hand and others, whose sha-256 begins with these hexadecimal digits."""

    def rank(path: Path) -> tuple[bool, bool, bool]:
        return path.parent != SHIPPED, path.stem not in DEFAULTS, path.stem not in (*FINE_TUNED, LARGE)

    # Files are read until one is found, so the likeliest come first.
    for path in sorted({*paths(), *others}, key=lambda path: (*rank(path), path)):
        try:
            status = path.stat()
            identity = _identity(path, status.st_size, status.st_mtime_ns)
        except OSError:
            continue
        if identity.startswith(prefix):
            yield path


def find(name: str) -> Model:
    """A model by its name or by the path of its file. Raises ModelError if there is none."""
    for path in paths():
        if path.stem == name:
            return at(path)
    if Path(name).is_file():
        return at(Path(name).absolute())
    known = [path.stem for path in paths()]
    if alike := difflib.get_close_matches(name, known, n=1, cutoff=0.8):
        raise ModelError(f"no model {name!r}: did you mean {alike[0]}?")
    names = ", ".join(known) or "none"
    raise ModelError(f"no model {name!r}: known by name are {names}; or give the path of a model file")


def find_by_prefix(prefix: bytes, extra: str | None = None) -> Model:
    """The model an .arc file names by the first bytes of its sha-256, also looking at the path ``extra``.

    Raises ModelError if it is not at hand.
    """
    model = None if extra is None else find(extra)
    if model is not None and model.prefix == prefix:
        return model
    for path in known_by(prefix.hex()):
        return at(path)
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


@lru_cache(maxsize=_AT_HAND)
def program(model: Model) -> Program:
    """A network that predicts bytes, laid out for the compiled engine and verified.

    That costs 0.02 s the first time, of LARGE 0.3. Raises ModelError and UsageError.
    """
    from .compiled import CompiledEngine

    verified(model, CompiledEngine(unverified(model)))
    return unverified(model)


@lru_cache(maxsize=_AT_HAND)
def unverified(model: Model) -> Program:
    """The same to estimate with: what it codes is not for files. Raises as ``program``."""
    from ..exact.program import compile_network

    network, base = model.network, model.base
    shared = base is not None and base.tensors["embed.table"] is model.tensors["embed.table"]
    return compile_network(network, model.tensors, unverified(base).table if base and shared else None)


def compiled(model: Model, threads: int, helped: bool = False) -> CompiledEngine:
    """The compiled engine. Raises as ``program``."""
    from .compiled import CompiledEngine

    return CompiledEngine(program(model), threads, helped)


@lru_cache(maxsize=4)
def stack_program(model: Model) -> StackProgram:
    """A network that predicts pixels, compiled and verified. Raises UsageError if it predicts bytes, and ModelError."""
    from ..exact.stack import answers, compile_stacks

    stacks = model.design.stacks()
    compiled = compile_stacks(stacks, model.tensors)
    stack = stacks.stacks[0]
    if digest_of_answers(answers(compiled, conformance_codes(stack.inputs), stack.outputs)) != model.conformance:
        raise ModelError(_DIFFERS.format(engine="compiled", model=model.name))
    return compiled


def engine_for(model: Model, device: str = "cpu", threads: int = 1, helped: bool = False) -> NetworkEngine:
    """A verified engine: compiled for ``cpu``, torch for ``torch`` (on the CPU), ``cuda`` and torch's other devices.

    helped: whether each block may have a second core, where that pays.
    """
    if device == "cpu":
        return compiled(model, threads, helped)
    if device != "torch" and not _DEVICE.fullmatch(device):
        raise UsageError(f"no device {device!r}: use cpu, torch, cuda or cuda:N")
    return _wide(model, "cpu" if device == "torch" else device)


@lru_cache(maxsize=4)
def _wide(model: Model, device: str) -> NetworkEngine:
    from .wide import TorchEngine

    engine = TorchEngine(model, device)
    verified(model, engine)
    return engine
