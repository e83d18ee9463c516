"""The training loop: AdamW on the code length, checkpoints every minute, a learning curve always."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import UsageError
from ..exact.rounding import parallel_scan
from ..exact.torch_layers import Embed, Recurrence
from ..exact.torch_networks import TorchNetwork
from ..files import replacing
from ..models.file import Model
from ..models.registry import Design
from . import fused
from .corpus import Source
from .evaluate import categories, nats
from .growth import grow
from .rate import rate_at
from .run import run
from .stream import Chunk, Lanes

CHECKPOINT_SECONDS = 45

_GRADIENTS = {"int8": torch.float32, "int8-bfloat16": torch.bfloat16}  # what the fused branches multiply them in


@dataclass(frozen=True)
class Recipe:
    """How to train; what to train is the Design."""

    minutes: float = 60.0
    lanes: int = 16
    steps: int = 256
    run: int = 256  # chunks a lane reads before it starts afresh; what followers know must have time to gather
    rate: float = 1.5e-3
    table_rate: float = 6e-3
    weight_decay: float = 0.02
    warmup: int = 100  # optimiser steps
    decay_from: float = 0.4  # share of the time after which the rate falls, linearly, to a fiftieth
    clip: float = 1.0
    valid_minutes: float = 5.0
    valid_limit: int = 262144  # bytes of each validation source
    seed: int = 0
    device: str = "cpu"
    threads: int = 1
    product: str = "int8"  # exact and fast on a CPU; on CUDA bfloat16 is faster
    compile: bool = False
    fine_tune: bool = False  # leave the rows of contexts and of followers as they are


@dataclass(frozen=True)
class Report:
    """One point of the learning curve."""

    step: int
    seconds: float
    symbols: int
    train_bpb: float
    valid_bpb: dict[str, float]  # empty between validations


def _optimisers(network: TorchNetwork, dense: list[nn.Parameter], recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Of these parameters; and of rows, if they are trained."""
    table = network.embed.table
    matrices = [p for p in dense if p.ndim > 1]
    vectors = [p for p in dense if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
    if not table.requires_grad:
        return [adamw]
    rows: torch.optim.Optimizer
    if network.embed.sparse:  # touches only the rows of the batch; a dense step over the whole table costs more than it
        rows = torch.optim.SparseAdam([table], lr=recipe.table_rate, betas=(0.9, 0.98))
    else:
        rows = torch.optim.Adam([table], lr=recipe.table_rate, betas=(0.9, 0.98))
    return [adamw, rows]


class Trainer:
    """Everything that changes while training, so that it can be saved and taken up again."""

    def __init__(self, design: Design, recipe: Recipe, train: Sequence[Source], valid: Sequence[Source]) -> None:
        torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.design, self.recipe, self.valid = design, recipe, valid
        spec = design.network()
        self.network = TorchNetwork(spec).to(recipe.device)
        self.network.multiply_with(recipe.product)
        if recipe.fine_tune:
            self.network.embed.freeze_rows()
        self._prepare_for_device()
        table = self.network.embed.table
        self.dense = [p for p in self.network.parameters() if p is not table and p.requires_grad]
        self.optimisers = _optimisers(self.network, self.dense, recipe)
        self.base = ""  # sha-256 of the model that has the rows, if they are not trained
        self.train = train
        self.lanes = self._lanes(recipe.seed)
        self.memory = self.network.memory(recipe.lanes)
        self.step, self.seconds, self.symbols = 0, 0.0, 0
        self.fused = recipe.device == "cpu" and recipe.product in _GRADIENTS and fused.fits(self.network)
        self.loss: Callable[..., Any] = self._loss
        if recipe.compile:
            self.loss = torch.compile(self._loss)

    def begin_with(self, model: Model) -> None:
        """Start from the weights of a model file instead of random ones. Raises as ``Design.check_growth``."""
        model.design.check_growth(self.design)
        if model.network.branches == self.network.spec.branches:
            self.network.adopt(model.tensors)
        else:
            grow(self.network, model.tensors, model.network, self.recipe.seed)
        if self.recipe.fine_tune:
            self.base = (model.base or model).identity

    def _lanes(self, seed: int) -> Lanes:
        recipe = self.recipe
        return Lanes(self.train, self.design.network().embed, recipe.lanes, recipe.steps, recipe.run, seed)

    def _prepare_for_device(self) -> None:
        if self.recipe.device == "cpu":
            return
        for module in self.network.modules():
            if isinstance(module, Recurrence):
                module.scan = parallel_scan  # a loop over time would leave the card idle
            if isinstance(module, Embed):
                module.sparse = False

    def _loss(self, last: torch.Tensor, rows: torch.Tensor, symbols: torch.Tensor, memory: list[Any]) -> Any:
        if self.fused:
            logits, memory = fused.logits(self.network, last, rows, memory, _GRADIENTS[self.recipe.product])
        else:
            logits, memory = self.network(last, rows, memory)
        return nats(logits, symbols), memory

    def _start_afresh(self, chunk: Chunk) -> None:
        if not chunk.fresh.any():
            return
        kept = torch.from_numpy(~chunk.fresh).float().to(self.recipe.device)[:, None]
        for i, state in enumerate(self.memory):
            if state is not None:
                self.memory[i] = state * kept  # lanes are the last axis but one of every memory

    def advance(self) -> float:
        """One optimiser step; the loss in bits per byte."""
        recipe, device = self.recipe, self.recipe.device
        chunk = self.lanes.next()
        self._start_afresh(chunk)
        last, rows, symbols = (torch.from_numpy(a).to(device) for a in (chunk.last, chunk.rows, chunk.symbols))
        factor = rate_at(recipe, self.step, self.seconds / 60 / recipe.minutes)
        rates = (recipe.rate, recipe.table_rate)[: len(self.optimisers)]
        for optimiser, rate in zip(self.optimisers, rates, strict=True):
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
        loss, memory = self.loss(last, rows, symbols, self.memory)
        loss.backward()
        self.memory = [None if state is None else state.detach() for state in memory]
        if not torch.isfinite(
            nn.utils.clip_grad_norm_(self.dense, recipe.clip)
        ):  # the kernels look up what NaN rounds to
            raise UsageError("training diverged: give a smaller rate, as --recipe rate=0.0005, and begin anew")
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        self.symbols += symbols.numel()
        return float(loss.item()) / 0.6931471805599453

    def validate(self) -> dict[str, float]:
        """Bits per byte of each validation source."""
        return categories(self.network, self.valid, self.recipe.valid_limit, self.recipe.device)

    def save(self, path: Path) -> None:
        """Write a checkpoint, beside the old one and then over it."""
        state = {
            "design": {"family": self.design.family, "config": self.design.settings()},
            "recipe": dataclasses.asdict(self.recipe),
            "base": self.base,
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
            "symbols": self.symbols,
        }
        with replacing(path, overwrite=True) as file:
            torch.save(state, file)

    def resume(self, path: Path) -> None:
        """Take up a checkpoint. The stream goes on with other documents than it began with.

        Raises UsageError if the checkpoint is of another design, or trained what is not trained now.
        """
        state = torch.load(path, map_location=self.recipe.device, weights_only=True)
        Design.saved(state["design"]["family"], state["design"]["config"]).check_same(self.design, str(path))
        if state["recipe"].get("fine_tune", False) != self.recipe.fine_tune:
            raise UsageError(f"{path}: begun {'without' if self.recipe.fine_tune else 'with'} --fine-tune: go on so")
        self.base = state.get("base", "")
        self.network.load_state_dict(state["network"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.seconds, self.symbols = state["step"], state["seconds"], state["symbols"]
        self.lanes = self._lanes(self.recipe.seed + self.step)

    def run(self, checkpoint: Path, curve: Path, tell: Callable[[Report], None]) -> None:
        """Train until the minutes are used up, validating and saving on the way."""
        new = not curve.exists() or self.step == 0
        with curve.open("w" if new else "a", newline="") as file:
            writer = csv.writer(file)
            if new:
                names = [f"valid_{source.name}_bpb" for source in self.valid]
                writer.writerow(["step", "seconds", "symbols", "train_bpb", *names])

            def report(loss: float, valid: dict[str, float] | None) -> None:
                point = Report(self.step, self.seconds, self.symbols, loss, valid or {})
                row = [point.valid_bpb.get(source.name, "") for source in self.valid]
                writer.writerow([point.step, round(point.seconds), point.symbols, point.train_bpb, *row])
                file.flush()
                tell(point)

            run(self, self.recipe, checkpoint, CHECKPOINT_SECONDS, self.validate, report)
