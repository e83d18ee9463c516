"""Training on pictures: maximum likelihood of each sample, given what the coder will know of it.

The network stands behind adaptive predictors and sees what they say. So pictures are first run through these, as in
coding, and what the network is told of each sample is kept: a pool of samples, which is trained on a few times and then
replaced by other pieces of the pictures.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..exact.spec import Stack
from ..exact.stack import empty_stacks
from ..exact.tables import exp2_table
from ..exact.torch_layers import Linear
from ..exact.torch_networks import TorchStack, multiply_with
from ..files import replacing
from ..mixing.pixels import canvas
from ..mixing.pixels.loops import describe_row
from ..mixing.pixels.prior import fresh_prior
from ..mixing.pixels.state import fresh_pixels
from ..mixing.pixels.team import DEFAULT
from ..models import pixels as family
from ..models.file import Model
from ..models.registry import Design
from .rate import rate_at
from .run import run

CHECKPOINT_SECONDS = 60
_SHARPNESS = 2 * math.log(2)  # inverse scale of a logistic distribution whose mean distance from its mean is 1
_SUFFIXES = (".png", ".webp", ".ppm", ".pgm", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Recipe:
    """How to train; what to train is the Design."""

    minutes: float = 60.0
    batch: int = 4096  # samples of each channel
    rate: float = 2e-3
    weight_decay: float = 0.01
    warmup: int = 100  # optimiser steps
    decay_from: float = 0.3  # share of the time after which the rate falls, linearly, to a fiftieth
    pool: float = 4.0  # megapixels
    passes: int = 4  # through a pool
    piece: int = 384  # rows and columns of a piece of a picture, at most
    jpeg: float = 0.2  # share of pieces that are saved as JPEG before
    grey: float = 0.05  # share of pieces without colour
    halves: float = 0.3  # share of pieces at half their size
    mirrored: float = 0.5  # share of pieces
    valid_minutes: float = 5.0
    seed: int = 0
    threads: int = 1
    product: str = "int8"


@dataclass(frozen=True)
class Report:
    """One point of the learning curve."""

    step: int
    seconds: float
    samples: int
    train_bpd: float
    valid_bpd: float | None


class Samples:
    """What the network is told of some samples of one channel, and what they are."""

    def __init__(self, codes: np.ndarray, expected: np.ndarray, values: np.ndarray) -> None:
        self.codes, self.expected, self.values = codes, expected, values  # (n, inputs) int8, (n, 2) float32, (n,) uint8

    def __len__(self) -> int:
        return len(self.values)

    def part(self, places: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """As tensors: codes (n, inputs), expected (n, 2), values (n,), all float32."""
        codes, values = torch.from_numpy(self.codes[places]), torch.from_numpy(self.values[places])
        return codes.float(), torch.from_numpy(self.expected[places]), values.float()


def load(paths: Sequence[str]) -> list[np.ndarray]:
    """Every picture that the paths name, (height, width, 3) or (height, width, 1) uint8. Raises UsageError."""
    from PIL import Image

    found = []
    for name in paths:
        path = Path(name)
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES)
        if not files:
            raise UsageError(f"{name}: no such file, and no folder with pictures in it")
        for file in files:
            try:
                with Image.open(file) as image:
                    array = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
            except OSError as error:
                raise UsageError(f"{file}: {error}") from None
            found.append(array.reshape(*array.shape[:2], -1))
    return found


def described(picture: np.ndarray, config: family.Config) -> list[Samples]:
    """The samples of a picture, by channel as they are coded."""
    height, width, channels = picture.shape
    pixels = fresh_pixels(height, width, channels, 8, DEFAULT, False)
    prior = fresh_prior(empty_stacks(family.inputs(config)), config, canvas.stride(width))
    ordered = np.ascontiguousarray(picture[..., canvas.order(channels)], np.uint16)
    codes = np.empty((height, width, channels, family.inputs(config)), np.int8)
    expected = np.empty((height, width, channels, 2), np.float32)
    for y in range(height):
        describe_row(pixels, prior, ordered[y], y, codes[y], expected[y])
    return [
        Samples(
            codes[:, :, c].reshape(height * width, -1),
            expected[:, :, c].reshape(-1, 2),
            ordered[:, :, c].reshape(-1).astype(np.uint8),
        )
        for c in range(channels)
    ]


def joined(parts: Sequence[Samples]) -> Samples:
    """One behind the other."""
    return Samples(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.expected for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def stacked(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """All pictures of one size as one, each below the last."""
    by_shape: dict[tuple[int, int], list[np.ndarray]] = {}
    for picture in pictures:
        by_shape.setdefault(picture.shape[1:], []).append(picture)
    return [np.concatenate(same) for same in by_shape.values()]


def piece(picture: np.ndarray, recipe: Recipe, random: np.random.Generator) -> np.ndarray:
    """A piece of a picture: mirrored, halved, grey or once a JPEG, as chance will have it.

    Of a stack of squares, it begins where one of them does.
    """
    from PIL import Image

    if min(picture.shape[:2]) >= 2 * recipe.piece and random.random() < recipe.halves:
        even = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2].astype(np.uint16)
        sums = even[0::2, 0::2] + even[1::2, 0::2] + even[0::2, 1::2] + even[1::2, 1::2]
        picture = ((sums + 2) >> 2).astype(np.uint8)
    height, width = (min(side, recipe.piece) for side in picture.shape[:2])
    y, x = random.integers(picture.shape[0] - height + 1), random.integers(picture.shape[1] - width + 1)
    if picture.shape[1] <= family.SQUARE:
        y -= y % picture.shape[1]
    cut = picture[y : y + height, x : x + width]
    if random.random() < recipe.mirrored:
        cut = cut[:, ::-1]
    colour = cut.shape[2] > 1
    if colour and random.random() < recipe.jpeg:
        kept = io.BytesIO()
        Image.fromarray(cut).save(kept, "JPEG", quality=int(random.integers(75, 97)), subsampling=2)
        cut = np.asarray(Image.open(kept))
    if colour and random.random() < recipe.grey:
        cut = np.asarray(Image.fromarray(np.ascontiguousarray(cut)).convert("L"))[..., None]
    return cut


def bits(outputs: Tensor, expected: Tensor, values: Tensor, fixed: int = 0) -> Tensor:
    """The mean code length: outputs (n, 15), expected (n, 2), values (n,) -> bits per dimension.

    fixed: how many of the distributions stand at values of their own.
    """
    logits, means, sharper = outputs.chunk(3, -1)
    stand = torch.arange(family.MIXTURE) < fixed
    error = torch.where(stand, 1.0, expected[:, 1:])
    reach = torch.where(stand, family.FIXED_REACH, error)
    middle = torch.where(stand, family.FIXED_MIDDLE, expected[:, :1])
    away = (values[:, None] - middle - means.clamp(-64, 64) * reach) / error
    steepness = _SHARPNESS * torch.exp2(sharper.clamp(-7.9, 7.9))
    high, low = (away + 0.5 / error) * steepness, (away - 0.5 / error) * steepness
    high = torch.where(values[:, None] >= 255, 80.0, high)
    low = torch.where(values[:, None] <= 0, -80.0, low)
    flip = torch.where(high + low > 0, -1.0, 1.0)  # both far above: their difference is taken where it is not lost
    share = (torch.sigmoid(high * flip) - torch.sigmoid(low * flip)).abs()
    weights = torch.softmax(logits * math.log(2), -1)
    return -torch.log2((weights * share).sum(-1) + 2.0**-22).mean()


class Trainer:
    """Everything that changes while training, so that it can be saved and taken up again."""

    def __init__(
        self, design: Design, recipe: Recipe, train: Sequence[np.ndarray], valid: Sequence[np.ndarray]
    ) -> None:
        torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.design, self.recipe, self.train = design, recipe, train
        self.stacks = nn.ModuleList([_fresh_stack(spec, design.config.fixed) for spec in design.stacks().stacks])
        multiply_with(self.stacks, recipe.product)
        matrices = [p for p in self.stacks.parameters() if p.ndim > 1]
        vectors = [p for p in self.stacks.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
        self.step, self.seconds, self.samples = 0, 0.0, 0
        self.random = np.random.default_rng(recipe.seed)
        described(np.zeros((1, 1, 3), np.uint8), design.config)  # so that compiling is not counted as training
        self.valid = self._by_channel([described(picture, design.config) for picture in valid])
        self.pool: list[Samples] = []
        self.left: list[list[np.ndarray]] = []  # places in the pool, of each channel, of batches still to come
        self.passes_left = 0

    def begin_with(self, model: Model) -> None:
        """Start from the weights of a model file instead of random ones. Raises UsageError for another design."""
        model.design.check_same(self.design, f"model {model.name}")
        for c, stack in enumerate(self.stacks):
            assert isinstance(stack, TorchStack)
            start = f"{c}."
            stack.adopt({n.removeprefix(start): array for n, array in model.tensors.items() if n.startswith(start)})

    def _by_channel(self, described_pictures: list[list[Samples]]) -> list[Samples]:
        """Of each channel all samples; those of grey pictures count as green."""
        found = []
        for c in range(family.CHANNELS):
            parts = [channels[c] for channels in described_pictures if len(channels) > c]
            if parts:
                found.append(joined(parts))
        return found

    def _refill(self) -> None:
        pieces, pixels = [], 0
        sizes = np.array([picture.shape[0] * picture.shape[1] for picture in self.train], np.float64)
        while pixels < self.recipe.pool * 1e6:
            picture = self.train[self.random.choice(len(self.train), p=sizes / sizes.sum())]
            cut = piece(picture, self.recipe, self.random)
            pieces.append(described(cut, self.design.config))
            pixels += cut.shape[0] * cut.shape[1]
        self.pool = self._by_channel(pieces)
        self.left = []

    def _next(self) -> list[np.ndarray]:
        """Places of the next batch in the pool of each channel."""
        if not self.left:
            if self.passes_left == 0:
                self._refill()
                self.passes_left = self.recipe.passes
            self.passes_left -= 1
            steps = max(1, len(self.pool[-1]) // self.recipe.batch)
            orders = [self.random.permutation(len(samples)) for samples in self.pool]
            self.left = [[np.sort(order[k::steps]) for order in orders] for k in range(steps)]
        return self.left.pop()

    def advance(self) -> float:
        """One optimiser step; the loss in bits per dimension."""
        recipe = self.recipe
        places = self._next()
        share = self.seconds / 60 / recipe.minutes
        rate = rate_at(recipe, self.step, share)
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.rate * rate
        self.optimiser.zero_grad()
        total = 0.0
        for stack, samples, chosen in zip(self.stacks, self.pool, places, strict=False):
            codes, expected, values = samples.part(chosen)
            loss = bits(stack(codes), expected, values, self.design.config.fixed)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
            self.samples += len(chosen)
        nn.utils.clip_grad_norm_(self.stacks.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        return total / len(self.pool)

    @torch.no_grad()
    def validate(self) -> float | None:
        """Bits per dimension of the held-out pictures."""
        total, count = 0.0, 0
        for stack, samples in zip(self.stacks, self.valid, strict=False):
            for start in range(0, len(samples), 1 << 14):
                places = np.arange(start, min(start + (1 << 14), len(samples)))
                codes, expected, values = samples.part(places)
                loss = bits(stack(codes), expected, values, self.design.config.fixed)
                total += loss.item() * len(places)
                count += len(places)
        return total / count if count else None

    def export(self) -> dict[str, np.ndarray]:
        """Every tensor of a model file."""
        tensors = {"exp2": exp2_table()}
        for c, stack in enumerate(self.stacks):
            assert isinstance(stack, TorchStack)
            tensors |= {f"{c}.{name}": array for name, array in stack.export().items()}
        return tensors

    def save(self, path: Path) -> None:
        """Write a checkpoint, beside the old one and then over it."""
        state = {
            "config": self.design.settings(),
            "recipe": dataclasses.asdict(self.recipe),
            "stacks": self.stacks.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "counts": [self.step, self.seconds, self.samples],
        }
        with replacing(path, overwrite=True) as file:
            torch.save(state, file)

    def resume(self, path: Path) -> None:
        """Take up a checkpoint. Raises UsageError if it is of another design."""
        state: dict[str, Any] = torch.load(path, weights_only=True)
        Design.saved(self.design.family, state["config"]).check_same(self.design, str(path))
        self.stacks.load_state_dict(state["stacks"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds, self.samples = state["counts"]
        self.random = np.random.default_rng(self.recipe.seed + self.step)

    def run(self, checkpoint: Path, curve: Path, tell: Callable[[Report], None]) -> None:
        """Train until the minutes are used up, validating and saving on the way."""
        new = not curve.exists() or self.step == 0
        with curve.open("w" if new else "a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow([field.name for field in dataclasses.fields(Report)])

            def report(loss: float, valid: float | None) -> None:
                point = Report(self.step, self.seconds, self.samples, loss, valid)
                writer.writerow(dataclasses.astuple(point))
                file.flush()
                tell(point)

            run(self, self.recipe, checkpoint, CHECKPOINT_SECONDS, self.validate, report)


def _fresh_stack(spec: Stack, fixed: int) -> TorchStack:
    """Untrained: its distributions lie around what the predictors expect, some wider and some narrower.

    Those that are fixed are near white, where digits have most of their values.
    """
    stack = TorchStack(spec)
    head = stack.layers[f"{len(spec.branches)}_1"]
    assert isinstance(head, Linear)
    bias = head.projection.bias
    assert isinstance(bias, Tensor)
    with torch.no_grad():
        bias[family.MIXTURE : 2 * family.MIXTURE] = torch.linspace(-0.5, 0.5, family.MIXTURE)
        bias[2 * family.MIXTURE :] = torch.linspace(-1, 1, family.MIXTURE)
        bias[family.MIXTURE : family.MIXTURE + fixed] = torch.linspace(0.98, 0.99, fixed)
        bias[2 * family.MIXTURE : 2 * family.MIXTURE + fixed] = 0.5
        bias[:fixed] = -3
    return stack
