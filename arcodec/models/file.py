"""Model files: safetensors with the integers of a network, its design, and a conformance vector.

A fine-tuned model may leave out the tensors it has in common with the model it was begun with, its base, and a larger
one the rows of contexts that it reads like a smaller one: then its file names the base by its sha-256, and is read
together with it.

There is no code in a model file, and nothing in it is believed before it is checked: names, shapes, types and ranges
are those on which docs/EXACT.md builds its bounds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as from_safetensors
from safetensors.numpy import save as to_safetensors

from ..errors import ModelError, UsageError
from ..exact import spec as s
from ..exact.tables import SCORE_PEAK, SIGMOID_BITS, WEIGHT_BITS
from ..files import replacing
from .registry import Design

FORMAT = "arcodec-model-1"
_SHA256 = re.compile("[0-9a-f]{64}")
SMALLEST = 1e-20  # scales and biases are 0 or at least this, so that nothing computed with them is subnormal


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network as it lies in a file, and in that of its base if it has one."""

    name: str
    path: Path
    identity: str  # sha-256 of the file, hexadecimal
    size: int  # bytes of the file
    design: Design
    tensors: dict[str, np.ndarray]
    conformance: str  # sha-256 of the frequencies that the conformance symbols yield
    base: Model | None = None  # the model whose tensors are used where this one's file has none

    @property
    def network(self) -> s.Network:
        """Its layers, if it predicts bytes. Raises UsageError if not."""
        return self.design.network()

    @property
    def prefix(self) -> bytes:
        """What an .arc file says of its model."""
        return bytes.fromhex(self.identity)[:4]


def conformance_symbols() -> np.ndarray:
    """The fixed sequence behind the conformance vector: a sentence, then 512 bytes from a congruential generator."""
    sentence = b"It is a truth universally acknowledged, that one answer must be in want of one question.\n" * 2
    return np.frombuffer(sentence + bytes(range(256)) + noise(512), np.uint8)


def conformance_codes(inputs: int) -> np.ndarray:
    """As those symbols, for a network that predicts pixels: 64 times its inputs (64, inputs), int8."""
    return np.maximum(np.frombuffer(noise(64 * inputs), np.int8), -s.CODE_LIMIT).reshape(64, inputs)


def noise(count: int) -> bytes:
    """So many bytes of a congruential generator, the same everywhere."""
    state, bytes_of_it = 1, bytearray()
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        bytes_of_it.append(state >> 56)
    return bytes(bytes_of_it)


def digest_of_answers(answers: np.ndarray) -> str:
    """sha-256 of what the stacks of a network answer to the conformance codes (64, stacks, outputs), float32."""
    return hashlib.sha256((answers + np.float32(0)).astype("<f4").tobytes()).hexdigest()  # -0 is 0


def digest(frequencies: np.ndarray) -> str:
    """sha-256 of frequencies (n, 256), as little-endian uint32."""
    return hashlib.sha256(frequencies.astype("<u4").tobytes()).hexdigest()


def identity_of(path: Path) -> str:
    """sha-256 of the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save(
    path: Path, design: Design, tensors: dict[str, np.ndarray], conformance: str, base: Model | None = None
) -> None:
    """Write a model file, over an older one if there is one, without the tensors that are equal in its base.

    Raises ModelError for tensors no model may hold.
    """
    check_tensors(str(path), design.layers(), tensors)
    about = {"format": FORMAT, "family": design.family, "config": design.settings(), "conformance": conformance}
    if base is not None:
        _check_base(str(path), base, design)
        about["base"] = base.identity
        known = base.tensors
        tensors = {n: own for n, own in tensors.items() if n not in known or not np.array_equal(own, known[n])}
    with replacing(path, overwrite=True) as file:
        file.write(to_safetensors(tensors, metadata={"arcodec": json.dumps(about, sort_keys=True)}))


def _no_base(identity: str) -> Model:
    raise ModelError(f"it is fine-tuned from model {identity[:8]}, and is read together with that")


def load(
    path: Path, find_base: Callable[[str], Model] = _no_base, read: Callable[[Path], bytes] = Path.read_bytes
) -> Model:
    """Read and check a model file. find_base: from the sha-256 of a fine-tuned model's base to the base.

    read: from the path to what lies in a model's file, should it be kept otherwise.
    Raises ModelError if it is none, holds what no network may hold, or has a base that is not at hand.
    """
    try:
        content = read(path)
    except OSError as error:
        raise ModelError(f"{path} is not a model file: {error}") from None
    try:
        tensors: dict[str, np.ndarray] = from_safetensors(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = json.loads(header.get("__metadata__", {}).get("arcodec", "{}"))
    except (SafetensorError, ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not a model file: {error}") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ModelError(f"{path} is not an arcodec model file: expected format {FORMAT}")
    try:
        design = Design.saved(about["family"], about["config"])
    except (KeyError, TypeError, UsageError) as error:
        raise ModelError(f"{path}: unknown design: {error}") from None
    base = None
    if "base" in about:
        base = _found(path, about["base"], find_base)
        _check_base(str(path), base, design)
    layers = design.layers()
    inherited = {n: tensor for n, tensor in base.tensors.items() if n in layers.tensors()} if base else {}
    check_tensors(str(path), layers, tensors, inherited)
    tensors = {**inherited, **tensors}
    identity, conformance = hashlib.sha256(content).hexdigest(), str(about.get("conformance"))
    return Model(path.stem, path, identity, len(content), design, tensors, conformance, base)


def _found(path: Path, identity: Any, find_base: Callable[[str], Model]) -> Model:
    """The base of this sha-256, and no other."""
    if not isinstance(identity, str) or not _SHA256.fullmatch(identity):
        raise ModelError(f"{path}: its base is not named by a sha-256")
    try:
        base = find_base(identity)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    if base.identity != identity:
        raise ModelError(f"{path}: its base {base.name} changed while it was read")
    return base


def _check_base(name_of_file: str, base: Model, design: Design) -> None:
    if base.base is not None:
        raise ModelError(f"{name_of_file}: its base {base.name} has a base itself")
    if base.design != design and not design.reads_rows_of(base.design):
        raise ModelError(f"{name_of_file}: its base {base.name} is of another design")


def check_tensors(
    name_of_file: str,
    network: s.Network | s.Stacks,
    own: dict[str, np.ndarray],
    inherited: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> None:
    """Raise ModelError unless the tensors are those of the network, in the ranges docs/EXACT.md assumes.

    inherited: those of the base, checked already.
    """
    expected, tensors = network.tensors(), {**inherited, **own}
    if tensors.keys() != expected.keys():
        odd = ", ".join(sorted(tensors.keys() ^ expected.keys())[:3])
        raise ModelError(f"{name_of_file}: its tensors are not those of its design ({odd})")
    for name, array in tensors.items():
        shape, dtype = expected[name]
        if array.shape != shape or array.dtype != dtype:
            raise ModelError(f"{name_of_file}: {name} is {array.dtype} {array.shape}, expected {dtype} {shape}")
    for name, array in own.items():
        if array.dtype == np.float32 and np.any((array != 0) & (np.abs(array) < SMALLEST)):
            raise ModelError(f"{name_of_file}: {name} holds values below {SMALLEST}")
        low, high = _range(name)
        if not np.all((array >= low) & (array <= high)):  # also false for NaN
            raise ModelError(f"{name_of_file}: {name} holds values outside {low}..{high}")
    if isinstance(network, s.Network) and (tensors["softmax"][0] < 1 or tensors["softmax"][-1] != 0):
        raise ModelError(f"{name_of_file}: the softmax table must begin above 0 and end with 0")


def _range(name: str) -> tuple[Any, Any]:
    """What docs/EXACT.md assumes of each tensor."""
    match name.rpartition(".")[2]:
        case "codes":
            return -s.WEIGHT_LIMIT, s.WEIGHT_LIMIT
        case "last" | "followers":
            return -s.CODE_LIMIT, s.CODE_LIMIT
        case "scale" | "bias":
            return -1e6, 1e6
        case "sigmoid":
            return 1, 2**SIGMOID_BITS - 1
        case "exp2":
            return 1, 2**WEIGHT_BITS
        case "softmax":
            return 0, SCORE_PEAK
        case "distance":
            return -(2**20), 2**20
        case _:
            return 0, 255
