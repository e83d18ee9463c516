"""What a network is made of: layers, their sizes and the integers they keep.

A network is an embedding, a row of residual branches and a head. These descriptions hold no arithmetic and import no
engine: ``torch_layers`` gives each one its meaning for training and wide batches, ``program`` and ``kernels`` for one
sequence on a CPU core, and the tests hold the two equal to the last bit.

Two kinds of vector pass between layers:

    codes   integers in [-127, 127]; a code stands for the real number code * step
    reals   float32, each made by one IEEE-754 operation at a time
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from .packing import CODES

ALPHABET = 256
CODE_LIMIT = 127
WEIGHT_LIMIT = 63

# float32 counts integers exactly below 2**24; a product of codes and weights is at most 127 * 63 in magnitude.
MAX_INPUTS = (2**24 - 1) // (CODE_LIMIT * WEIGHT_LIMIT)  # 2096
MAX_WIDTH = (2**24 - 1) // CODE_LIMIT**2  # 1040: a norm sums as many squares
MAX_BRANCHES = 256
MAX_MEMORY = 1 << 24  # bytes of state a sequence
MAX_WINDOW = (2**24 - 1) // (1023 * CODE_LIMIT)  # 129: attention sums as many values, each weighing at most 1023

# Of each context whose followers are remembered: slots; how often in succession a symbol followed, in classes (once,
# twice, three or four times, more often); rows: none or the symbol that followed last, none or the last other one.
MOST_FOLLOWERS = 9
SLOTS_LOG2 = 18
STREAKS = 4
FIRST_OTHER = 1 + STREAKS * 256
FOLLOWER_ROWS = FIRST_OTHER + 1 + 256

STATISTIC_STEP = 1 / 8  # of the codes whose squares a norm sums
NORM_EPSILON = 1e-5
NORM_STEP = 1 / 32
GATED_STEP = 1 / 64
SQUARE_STEP = 1 / 8
EMBED_STEP = 1 / 32
INPUT_STEP = 1 / 16  # of codes that come from elsewhere

INPUT_LIMIT = 32.0  # of what enters a recurrence
SNAP = 1.5 * 2.0**7  # added and taken away, it rounds |x| < 64 to multiples of 2**-16

Shape = tuple[int, ...]
Tensors = dict[str, tuple[Shape, str]]  # name -> (shape, numpy dtype)


@dataclass(frozen=True)
class Embed:
    """Hashed contexts -> reals: rows of small codes side by side, projected, plus one row for the last byte.

    Added as they are, like the last byte's: two rows for what followed each of some contexts before.
    """

    contexts: int
    rows_log2: int
    row_width: int
    width: int
    bits: int = 4  # of a code in a row, see ``packing``
    followers: int = 0  # contexts whose followers it knows, see ``followers``

    @property
    def rows(self) -> int:
        """How many a symbol looks at."""
        return self.contexts + 2 * self.followers

    def tensors(self) -> Tensors:
        rows = self.contexts << self.rows_log2
        inputs = self.contexts * self.row_width
        followed = {"followers": ((self.followers * FOLLOWER_ROWS, self.width), "int8")} if self.followers else {}
        return {
            "table": ((rows, self.row_width * self.bits // 8), "uint8"),
            "last": ((ALPHABET, self.width), "int8"),
            **followed,
            "codes": ((self.width, inputs), "int8"),
            "scale": ((self.width,), "float32"),
            "bias": ((self.width,), "float32"),
        }


@dataclass(frozen=True)
class Norm:
    """Reals -> codes: x / sqrt(mean(x**2) + eps), the mean taken of integer squares."""

    width: int

    def tensors(self) -> Tensors:
        return {}


@dataclass(frozen=True)
class Linear:
    """Codes -> reals: an exact integer product, then one multiplication and one addition an output."""

    inputs: int
    outputs: int
    step: float
    gain: float = 1.0  # of the initial weights; 1 keeps the variance

    def tensors(self) -> Tensors:
        return {
            "codes": ((self.outputs, self.inputs), "int8"),
            "scale": ((self.outputs,), "float32"),
            "bias": ((self.outputs,), "float32"),
        }


@dataclass(frozen=True)
class Recurrence:
    """3 x width reals (forget, input, gate) -> codes; remembers one real a channel for ever, fading.

    h = f * h + (1 - f) * z;  out = h * sigmoid(gate)
    """

    width: int

    def tensors(self) -> Tensors:
        return {}


@dataclass(frozen=True)
class SquaredRelu:
    """Reals -> codes: max(x, 0)**2."""

    width: int

    def tensors(self) -> Tensors:
        return {}


@dataclass(frozen=True)
class Gate:
    """2 x width reals (value, gate) -> codes: value * sigmoid(gate)."""

    width: int

    def tensors(self) -> Tensors:
        return {}


@dataclass(frozen=True)
class Delay:
    """Codes -> taps x width codes: those of now, of ``dilation`` steps ago, and so on; before the start, zeros.

    With a Linear behind it, this is a causal dilated convolution.
    """

    width: int
    taps: int
    dilation: int

    @property
    def span(self) -> int:
        """Steps to be remembered."""
        return (self.taps - 1) * self.dilation

    def tensors(self) -> Tensors:
        return {}


@dataclass(frozen=True)
class Attend:
    """3 x width reals (query, key, value) -> codes: softmax attention, in integers, over the last ``window`` steps.

    Steps before the start count as keys and values of zero, so no mask is needed.
    """

    width: int
    heads: int
    window: int

    def tensors(self) -> Tensors:
        return {"distance": ((self.heads, self.window), "int32")}  # added to the scores, in 1/8 bits


def attention_scale(layer: Attend) -> float:
    """From a product of query and key codes to scores in 1/8 bits; a float32 value."""
    per_code = NORM_STEP**2 / math.sqrt(layer.width / layer.heads)
    return float(np.float32(per_code * math.log2(math.e) * 8))


Layer = Norm | Linear | Recurrence | SquaredRelu | Gate | Delay | Attend
Branch = tuple[Layer, ...]


@dataclass(frozen=True)
class Network:
    """An embedding, residual branches, and a head that turns the normed sum into 256 logits."""

    embed: Embed
    branches: tuple[Branch, ...]

    @property
    def width(self) -> int:
        return self.embed.width

    @property
    def head(self) -> Branch:
        return (Norm(self.width), Linear(self.width, ALPHABET, NORM_STEP, gain=0.1))

    def layers(self) -> Iterator[tuple[str, Embed | Layer]]:
        """Every layer with the prefix of its tensors' names, in the order of computation."""
        yield "embed", self.embed
        for b, branch in enumerate((*self.branches, self.head)):
            for i, layer in enumerate(branch):
                yield f"{b}.{i}", layer

    def tensors(self) -> Tensors:
        """Name, shape and type of every tensor a model file of this network holds."""
        named: Tensors = {"sigmoid": ((2 * CODE_LIMIT + 1,), "int32"), "exp2": ((24 * 64 + 1,), "int32")}
        named |= {"softmax": ((96,), "int32")}
        for prefix, layer in self.layers():
            named |= {f"{prefix}.{name}": spec for name, spec in layer.tensors().items()}
        return named

    def memory_bytes(self) -> int:
        """What one sequence remembers, in bytes."""
        return (4 * self.embed.followers << SLOTS_LOG2) + self.state_bytes()

    def state_bytes(self) -> int:
        """What its layers do."""
        total = 0
        for _, layer in self.layers():
            match layer:
                case Recurrence(width):
                    total += 4 * width
                case Delay(width):
                    total += layer.span * width
                case Attend(width, _, window):
                    total += 2 * window * width
                case _:
                    pass
        return total

    def macs(self) -> int:
        """Multiply-adds a symbol, those of the linear layers and of attention."""
        total = self.embed.contexts * self.embed.row_width * self.embed.width
        for _, layer in self.layers():
            match layer:
                case Linear(inputs, outputs):
                    total += inputs * outputs
                case Attend(width, _, window):
                    total += 2 * width * window
                case _:
                    pass
        return total


@dataclass(frozen=True)
class Stack:
    """A network without memory: codes in; a linear layer, residual branches, a head; reals out."""

    inputs: int
    branches: tuple[Branch, ...]
    width: int
    outputs: int

    def layers(self) -> Iterator[tuple[str, Layer]]:
        """Every layer with the prefix of its tensors' names, in the order of computation."""
        yield "first", Linear(self.inputs, self.width, INPUT_STEP)
        for b, branch in enumerate((*self.branches, self.head)):
            for i, layer in enumerate(branch):
                yield f"{b}.{i}", layer

    @property
    def head(self) -> Branch:
        return (Norm(self.width), Linear(self.width, self.outputs, NORM_STEP, gain=0.1))


@dataclass(frozen=True)
class Stacks:
    """A stack for each channel of a pixel."""

    stacks: tuple[Stack, ...]

    def layers(self) -> Iterator[tuple[str, Layer]]:
        """As of ``Stack``, of all of them."""
        for c, stack in enumerate(self.stacks):
            yield from ((f"{c}.{prefix}", layer) for prefix, layer in stack.layers())

    def tensors(self) -> Tensors:
        """Name, shape and type of every tensor a model file of these networks holds."""
        named: Tensors = {"exp2": ((24 * 64 + 1,), "int32")}
        for prefix, layer in self.layers():
            named |= {f"{prefix}.{name}": spec for name, spec in layer.tensors().items()}
        return named

    def macs(self) -> int:
        """Multiply-adds a pixel."""
        return sum(layer.inputs * layer.outputs for _, layer in self.layers() if isinstance(layer, Linear))


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise UsageError(f"this network could not be computed exactly: {what}")


def check(network: Network | Stacks) -> None:
    """Raise UsageError unless every sum of this network fits where docs/EXACT.md says it does."""
    if isinstance(network, Stacks):
        for stack in network.stacks:
            _need(1 <= stack.width <= MAX_WIDTH, f"width {stack.width}, of 1 to {MAX_WIDTH}")
            _need(len(stack.branches) <= MAX_BRANCHES, f"{len(stack.branches)} branches, at most {MAX_BRANCHES}")
    else:
        _check_recalling(network)
    for prefix, layer in network.layers():
        match layer:
            case Linear(inputs, outputs):
                _need(1 <= inputs <= MAX_INPUTS and 1 <= outputs <= 2**16, f"layer {prefix}: {inputs} to {outputs}")
            case Delay(_, taps, dilation):
                _need(2 <= taps <= 16 and 1 <= dilation <= 2**16, f"layer {prefix}: {taps} taps, dilation {dilation}")
            case Attend(width, heads, window):
                _need(heads >= 1 and width % heads == 0, f"layer {prefix}: {heads} heads of width {width}")
                _need(1 <= window <= MAX_WINDOW, f"layer {prefix}: window {window}, of 1 to {MAX_WINDOW}")
            case _:
                pass


def _check_recalling(network: Network) -> None:
    embed = network.embed
    _need(1 <= embed.contexts <= 8, f"{embed.contexts} contexts, of 1 to 8")
    _need(1 <= embed.rows_log2 <= 22, f"2**{embed.rows_log2} rows a context, of 2**1 to 2**22")
    _need(0 <= embed.followers <= MOST_FOLLOWERS, f"followers of {embed.followers} contexts, of 0 to {MOST_FOLLOWERS}")
    _need(embed.bits in CODES, f"codes of {embed.bits} bits in rows, must be 2 or 4")
    whole = 8 // embed.bits
    _need(
        embed.row_width % whole == 0 and embed.row_width >= whole,
        f"rows of {embed.row_width} codes, must be a multiple of {whole}",
    )
    _need(embed.contexts * embed.row_width <= MAX_INPUTS, f"{embed.contexts * embed.row_width} inputs of the embedding")
    _need(1 <= network.width <= MAX_WIDTH, f"width {network.width}, of 1 to {MAX_WIDTH}")
    _need(len(network.branches) <= MAX_BRANCHES, f"{len(network.branches)} branches, at most {MAX_BRANCHES}")
    _need(
        network.memory_bytes() <= MAX_MEMORY, f"it remembers {network.memory_bytes():,} bytes, at most {MAX_MEMORY:,}"
    )
