"""What predicts the symbols of a file - experts, a network, both or nothing - and the engine that does it here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from . import container
from .errors import LimitError, ModelError, UsageError
from .machine import available_cores, installed_memory

if TYPE_CHECKING:
    from .models.engine import Engine, Progress
    from .models.file import Model

PRESETS = ("fast", "default", "best")  # a preset's place is its level, see container

# Symbols a block. What is learnt from them is lost at each block's start, but two cores want two blocks. Experts alone
# have more to lose and take less time.
_WITH_NETWORK, _EXPERTS_ALONE = 3 << 18, 1 << 22
_SAMPLES = 3 << 20  # of a picture, a block
_LANES = 256  # an engine that runs blocks side by side gets this many, as long as they are not too short
_SHORTEST_LANE = 1 << 12
_SAMPLE, _PIECES = 1 << 13, 4  # bytes that decide whether a network earns its time, and from how many places they are
_LEAST_TRIED, _MOST_TRIED, _TRIED_OF = 1 << 10, 1 << 12, 64  # bytes that decide which network does: one of so many
_FINALISTS = 4  # networks that try the whole of these bytes; all others only a quarter, but no less than half the least
_SHORT = 1 << 12  # bytes up to which the network is tried alone: the mixer has hardly learnt yet whom to trust
_SAMPLE_OF_PICTURE, _SAMPLE_ROWS = 1 << 15, 8  # samples, but no fewer rows
_WORTH = 99  # it does if it makes them less than so many hundredths of what they are without


@dataclass(frozen=True)
class Predictor:
    """What stands in the header: kind, model, level of the experts, and the model beside one that learns."""

    kind: int = container.STORED
    model: Model | None = None
    level: int = 0
    beside: Model | None = None  # of a network that learns: what does not, if it is another

    @property
    def name(self) -> str:
        """In words."""
        words = ("nothing", "a network", "experts", "experts and a network")[self.kind]
        if self.level & container.PRESET_BITS == container.LEARNING:
            words += " that learns"
        return words if self.beside is None else f"{words}, beside one that does not"

    @property
    def models(self) -> tuple[Model, ...]:
        """All that decoding needs, those aside that they are trained on from."""
        return tuple(model for model in (self.model, self.beside) if model)

    @property
    def preset(self) -> str:
        """The one whose level this is."""
        return PRESETS[min(self.level & container.PRESET_BITS, PRESETS.index("best"))]

    @property
    def has_experts(self) -> bool:
        return self.kind in (container.EXPERTS, container.MIXTURE)

    def learning(self) -> Predictor:
        """The same at ``best`` with a network that learns."""
        return replace(self, level=self.level | container.LEARNING)


@dataclass(frozen=True)
class Resources:
    """What of the machine may be used. None: all its cores; half its memory."""

    threads: int | None = None
    device: str = "cpu"
    max_memory: int | None = None

    def cores(self, blocks: int) -> int:
        """How many cores so many blocks occupy. Raises UsageError."""
        if self.threads is not None and self.threads < 0:
            raise UsageError(f"{self.threads} threads: expected 1 or more, or 0 for all cores")
        return min(self.threads or available_cores(), max(1, blocks))

    def two_each(self, blocks: int) -> bool:
        """Whether there are two cores for each of so many blocks, whatever was asked for. Raises UsageError."""
        return min(available_cores(), self.cores(2 * blocks)) >= 2 * blocks > 0

    @property
    def memory(self) -> int:
        """Bytes."""
        return installed_memory() // 2 if self.max_memory is None else self.max_memory


def check_choice(model: str | None, preset: str, mix: bool) -> None:
    """Raise UsageError for what ``choose`` would refuse whatever the data."""
    if preset not in PRESETS:
        raise UsageError(f"preset {preset!r}: expected {', '.join(PRESETS)}")
    if preset == "fast" and (not mix or model not in (None, "none")):
        raise UsageError("the fast preset has experts only: it takes no model, and there is no network to be alone")


def choose(data: memoryview, model: str | None, preset: str, mix: bool, resources: Resources) -> Predictor:
    """The predictor for these data: with a network, where there is one, if it shortens a sample of them.

    Unless a model is named, the network is the one of those for text that knows the sample best. Of short data that the
    network alone makes smaller than both together, the network alone.
    Raises UsageError and ModelError.
    """
    check_choice(model, preset, mix)
    level = PRESETS.index(preset) | (0 if preset == "fast" else container.ROOTED)
    experts = Predictor(container.EXPERTS, None, level)
    if model == "none" or preset == "fast":
        return experts if mix else Predictor()
    from .exact.learning import can_learn
    from .models import store

    mixed = mix and resources.device == "cpu"
    found = store.find(model) if model else _most_familiar(data, mixed, resources)
    alone, mixture = Predictor(container.NETWORK, found), Predictor(container.MIXTURE, found, level)
    if not mixed:
        return alone
    sample = _sample(data)
    size = _size(mixture, sample)
    if 100 * size >= _WORTH * _size(experts, sample):
        return experts
    if len(data) <= _SHORT and _size(alone, sample) < size:
        return alone
    if preset != "best" or not can_learn(store.program(found)):
        return mixture
    learning = mixture.learning()
    return learning if model else _with_large(learning, sample, resources)


def _with_large(learning: Predictor, sample: memoryview, resources: Resources) -> Predictor:
    """Of a network that learns: the same beside the large one, if that earns its time and its name in the file."""
    from .models import store
    from .models.parallel import side_by_side

    both = replace(learning, beside=store.find(store.LARGE))

    def size(predictor: Predictor, _: Progress) -> int:
        return _size(predictor, sample)

    with_it, without = side_by_side(size, (both, learning), resources.cores(2), lambda done: None)
    return both if 100 * (with_it + container.MODEL_PREFIX) < _WORTH * without else learning


def _most_familiar(data: memoryview, mixed: bool, resources: Resources) -> Model:
    """Of the network for all texts and those trained on from it, the one with which a sample costs the fewest bits.

    All of them predict a part of the sample, and the best of those the whole, side by side. mixed: among the experts of
    ``default``, which make up for much that a network alone would be blamed for.
    """
    from .mixing.engine import MixtureEngine
    from .mixing.team import DEFAULT
    from .models import store
    from .models.compiled import CompiledEngine
    from .models.parallel import side_by_side

    def best(models: list[Model], size: int, count: int) -> list[Model]:
        sample = np.frombuffer(_sample(data, size), np.uint8)

        def bits(model: Model, tell: Progress) -> float:
            program = store.unverified(model)
            engine: Engine = MixtureEngine(program, DEFAULT) if mixed else CompiledEngine(program)
            (coded,) = engine.encode([sample], tell)
            return coded.model_bits

        costs = side_by_side(bits, models, resources.cores(len(models)), lambda done: None)
        return [model for _, model in sorted(zip(costs, models, strict=True), key=itemgetter(0))[:count]]

    if not data:
        return store.find(store.TEXT)
    size = min(_MOST_TRIED, max(_LEAST_TRIED, len(data) // _TRIED_OF))
    models = [store.find(name) for name in (store.TEXT, *store.FINE_TUNED)]
    for whole in {model.base or model for model in models}:
        store.unverified(whole)  # the tables of many: before two cores unpack them at once
    likely = best(models, max(_LEAST_TRIED // 2, size // 4), _FINALISTS)
    (found,) = best(likely, size, 1)
    return found


def _sample(data: memoryview, size: int = _SAMPLE) -> memoryview:
    """All of short data; of others a piece from each quarter's start: the head may be text though the body is not."""
    if len(data) <= size:
        return data
    starts = (i * len(data) // _PIECES for i in range(_PIECES))
    return memoryview(b"".join(data[start : start + size // _PIECES] for start in starts))


def _size(predictor: Predictor, sample: memoryview) -> int:
    """Bytes of coded words."""
    engine = engine_for(predictor, max(1, len(sample)), 1, Resources(threads=1))
    assert engine is not None
    return _size_by(engine, np.frombuffer(sample, np.uint8), predictor.kind)


def _size_by(engine: Engine, sample: np.ndarray, kind: int) -> int:
    (coded,) = engine.encode([sample], lambda done: None)
    return len(container.packed_words(coded.words, kind))


def block_size_for(length: int, predictor: Predictor, device: str) -> int:
    """Symbols a block: a function of the input's length, of who predicts, and of whether the device wants many."""
    if predictor.kind == container.NETWORK and device != "cpu":
        blocks = min(_LANES, length // _SHORTEST_LANE)
    elif predictor.has_experts and predictor.preset == "best":
        blocks = -(-length // container.MAX_BLOCK)
    else:
        blocks = -(-length // (_EXPERTS_ALONE if predictor.kind == container.EXPERTS else _WITH_NETWORK))
        blocks += blocks > 1 and blocks % 2  # three blocks would take two cores as long as four
    blocks = max(blocks, -(-length // container.MAX_BLOCK), 1)
    return max(1, -(-length // blocks))


def of_header(header: container.Header, model: str | None) -> Predictor:
    """Who predicted a member of a file. model: see ``decompress``.

    Raises ModelError if its model is not at hand or not of the kind that the member needs.
    """
    if not header.model:
        return Predictor(header.predictor, None, header.level)
    from .models import store

    named = None if model == "none" else model
    found = store.find_by_prefix(header.model, named)
    beside = store.find_by_prefix(header.beside, named) if header.beside else None
    predictor = Predictor(header.predictor, found, header.level, beside)
    for one in predictor.models:
        predicted, wanted = one.design.of_pictures, header.picture is not None
        if predicted != wanted:
            what = ("bytes", "pictures")
            raise ModelError(
                f"the file has {what[wanted]} predicted by model {one.name}, which predicts {what[predicted]}"
            )
    if beside is not None and not beside.design.reads_rows_of(found.design):
        raise ModelError(f"the file has model {beside.name} beside {found.name}, but their contexts are not the same")
    return predictor


def engine_for(predictor: Predictor, block_size: int, blocks: int, resources: Resources) -> Engine | None:
    """The engine for so many blocks of this size, verified; None if nothing predicts.

    Raises ModelError, LimitError and UsageError.
    """
    cores = resources.cores(blocks)
    if predictor.kind == container.STORED:
        return None
    if predictor.has_experts:  # on the CPU, whatever the device
        return _experts(predictor, block_size, cores, resources.two_each(blocks), resources.memory)
    from .models import store

    assert predictor.model is not None
    return store.engine_for(predictor.model, resources.device, cores, resources.two_each(blocks))


def for_picture(picture: container.Picture, samples: np.ndarray, model: str | None, preset: str) -> Predictor:
    """The predictor for a picture: with a network, where there is one, if it shortens some rows of its middle.

    At best it learns from the picture as well, unless it is one for small squares, which gain nothing by it.

    samples: (height, width, channels). model: as for ``choose``, but one that predicts bytes is not for pictures, and
    the preset's is taken. Raises UsageError and ModelError.
    """
    check_choice(model, preset, True)
    experts = Predictor(container.EXPERTS, None, PRESETS.index(preset))
    if preset == "fast" or model == "none" or picture.depth != container.NETWORK_DEPTH:
        return experts
    from .models import store
    from .models.pixels import SQUARE

    found = store.find(model) if model else None
    if found is None or not found.design.of_pictures:
        found = store.find(store.THUMBNAILS if picture.width <= SQUARE else store.PHOTOGRAPHS)
    mixture = replace(experts, kind=container.MIXTURE, model=found)
    rows = min(picture.height, max(_SAMPLE_ROWS, _SAMPLE_OF_PICTURE // picture.row))
    start = (picture.height - rows) // 2
    start -= start % picture.width if picture.width <= SQUARE else 0
    sample = samples[start : start + rows].astype(np.uint8).reshape(-1)

    def size(predictor: Predictor) -> int:
        engine = engine_for_picture(predictor, picture, rows, 1, Resources(threads=1))
        return _size_by(engine, sample, predictor.kind)

    if 100 * size(mixture) >= _WORTH * size(experts):
        return experts
    return mixture.learning() if preset == "best" and not found.design.config.squares else mixture


def rows_for(picture: container.Picture, preset: str) -> int:
    """Rows a block: what is learnt is lost at each block's start, but two cores want two blocks."""
    samples = picture.row * picture.height
    most = container.MAX_BLOCK if preset == "best" else _SAMPLES
    blocks = -(-samples // most)
    blocks += blocks > 1 and blocks % 2 and preset != "best"
    return min(-(-picture.height // blocks), max(1, container.MAX_BLOCK // picture.row))


def engine_for_picture(
    predictor: Predictor, picture: container.Picture, rows: int, blocks: int, resources: Resources
) -> Engine:
    """The engine for so many blocks of these rows, verified. Raises ModelError, LimitError and UsageError."""
    from .mixing.pixels.engine import PixelEngine, verified
    from .mixing.pixels.team import TEAMS

    team = TEAMS[predictor.level]
    each, network = team.memory(rows, picture.width, picture.channels), None
    if predictor.model is not None:
        from .exact import stack
        from .models import store

        network = (store.stack_program(predictor.model), predictor.model.design.config)
        each += stack.memory(network[0]) if team.learns else 0
    _check_memory(f"a block of {rows:,} rows of the picture", each, predictor, resources.memory)
    return verified(PixelEngine(picture, team, min(resources.cores(blocks), resources.memory // each), network))


def _check_memory(block: str, needed: int, predictor: Predictor, allowed: int) -> None:
    if needed > allowed:
        raise LimitError(
            f"{block} takes {needed:,} bytes of memory at preset {predictor.preset}, more than the {allowed:,} "
            "allowed: allow more (max memory), or compress in smaller blocks"
        )


def _experts(predictor: Predictor, block_size: int, cores: int, helped: bool, memory: int) -> Engine:
    from .exact.learning import can_learn
    from .exact.learning import memory as memory_to_learn
    from .mixing.engine import MixtureEngine, verified
    from .mixing.team import TEAMS
    from .models import store

    team, model = TEAMS[predictor.level], predictor.model
    each, program = team.memory(block_size), None
    if model is not None:
        program = store.program(model)
        each += model.network.memory_bytes()
        if team.learns:
            if not can_learn(program):
                raise ModelError(f"the file wants model {model.name} to learn, which its family cannot")
            each += memory_to_learn(program)
    beside = None
    if predictor.beside is not None:
        beside = store.program(predictor.beside)
        each += predictor.beside.network.state_bytes()  # it has the other's memory
    _check_memory(f"a block of {block_size:,} bytes", each, predictor, memory)
    return verified(MixtureEngine(program, team, min(cores, memory // each), beside, helped))
