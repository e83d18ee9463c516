"""arcodec train"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arcodec.errors import UsageError

if TYPE_CHECKING:
    from arcodec.models.file import Model
    from arcodec.training.loop import Report


# A network that knows much already wants small steps, and to read long from one place.
_TUNING = {"rate": 8e-4, "decay_from": 0.0, "lanes": 32, "steps": 128, "run": 512}


@click.group(name="train")
def command() -> None:
    """Train a model of your own."""


@command.command(name="text")
@click.argument("paths", nargs=-1, required=True, metavar="PATH[=WEIGHT]...")
@click.option("--valid", "valid", multiple=True, metavar="PATH", help="Held-out documents; once for each category.")
@click.option("-o", "target", required=True, metavar="OUT.safetensors", help="The model file to write.")
@click.option("--from", "start", metavar="MODEL", help="Begin with this model's network (a name or a path).")
@click.option("--fine-tune", is_flag=True, help="Keep MODEL's tables: a small file, read together with it.")
@click.option("--family", help="recurrent (default), convolution or attention.")
@click.option("--config", multiple=True, metavar="NAME=VALUE", help="A setting of the family, as width=256.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=60.0, help="How long to train (60).")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint beside OUT.")
@click.option("--recipe", multiple=True, metavar="NAME=VALUE", help="A setting of the training, as lanes=64.")
@click.option("--device", default="cpu", help="cpu (default), cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(1), default=1, help="Threads of torch (1).")
@click.option("--seed", type=int, default=0, help="Of initial weights and of the order of documents (0).")
@click.option(
    "--crlf", type=click.FloatRange(0, 1), default=0.15, help="Share of text whose lines end in CR LF (0.15)."
)
@click.option("--tensorboard", metavar="FOLDER", help="Write the curve there as well, if TensorBoard is installed.")
def text(
    paths: tuple[str, ...],
    valid: tuple[str, ...],
    target: str,
    start: str | None,
    fine_tune: bool,
    family: str | None,
    config: tuple[str, ...],
    minutes: float,
    resume: bool,
    recipe: tuple[str, ...],
    device: str,
    threads: int,
    seed: int,
    crlf: float,
    tensorboard: str | None,
) -> None:
    """Train on files, folders, globs and .zst shards, by maximum likelihood.

    A PATH counts by its size, or by the WEIGHT given. With --from, training goes on from the weights of a model, such
    as one that ships; --config may make it larger (width, blocks, expansion), or give it a memory of what followed
    (followers=9). With --fine-tune, too, its tables stay as they are: training is faster, and OUT has only what
    differs. Beside OUT stand its checkpoint (OUT.checkpoint), written every minute, and its learning curve (OUT.csv).
    """
    from arcodec.models import store

    out, checkpoint = _places(target, resume)
    if fine_tune and start is None:
        raise UsageError("--fine-tune wants a model to begin with: give it with --from")
    from arcodec.models.registry import Design
    from arcodec.training import corpus
    from arcodec.training.export import write_model
    from arcodec.training.loop import Recipe, Trainer

    begun = _begun(start, family is not None)
    base = _kept(begun, out) if begun and fine_tune else None
    if begun is None:
        design = Design.of(family or "recurrent", **_settings(config))
    else:
        design = Design.of(begun.design.family, **begun.design.settings() | _settings(config))
        begun.design.check_growth(design)
        if base and not design.reads_rows_of(base.design):
            raise UsageError(f"--fine-tune keeps the tables of {base.name}: this network would read others")
    wide = {} if device == "cpu" else {"product": "bfloat16", "compile": True, "lanes": 256}
    chosen = _chosen(recipe, Recipe)
    if "fine_tune" in chosen:
        raise UsageError("fine_tune is no setting of the recipe: give --fine-tune")
    fixed = {"minutes": minutes, "device": device, "threads": threads, "seed": seed, "fine_tune": fine_tune}
    plan = Recipe(**{**(_TUNING if fine_tune else {}), **wide, **fixed, **chosen})
    train, held_out = [corpus.load(p) for p in paths], [corpus.load(p) for p in valid]
    trainer = Trainer(design, plan, corpus.with_crlf(train, crlf), held_out)
    if resume:
        trainer.resume(checkpoint)
        if base and trainer.base != base.identity:
            raise UsageError(f"{checkpoint} was not begun with {start}: give the model that it was")
    elif begun is not None:
        trainer.begin_with(begun)
    log = _tensorboard(tensorboard)
    macs = design.network().macs()

    def tell(report: Report) -> None:
        rate = report.symbols / report.seconds
        share = f", {6 * macs * rate / 1e12:.1f} TFLOP/s" if device != "cpu" else ""
        held = "".join(f"  {name} {bpb:.4f}" for name, bpb in report.valid_bpb.items())
        left = max(0.0, minutes - report.seconds / 60)
        learnt = f"step {report.step:6}  train {report.train_bpb:.4f} bpb{held}"
        click.echo(f"{learnt}  {rate / 1e3:.1f} KB/s{share}  {left:.0f} min left", err=True)
        if log is not None:
            log.add_scalar("train_bpb", report.train_bpb, report.symbols)
            for name, bpb in report.valid_bpb.items():
                log.add_scalar(f"valid_{name}_bpb", bpb, report.symbols)

    trainer.run(checkpoint, out.with_name(out.name + ".csv"), tell)
    write_model(trainer.network, design, out, base)
    click.echo(f"{out}: use it with --model {out}", err=True)
    if base and base.path not in store.paths():
        click.echo(
            f"it is read together with {base.path}: keep that beside it, or name its folder in ARCODEC_MODELS", err=True
        )
    sys.stderr.flush()


@command.command(name="images")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--valid", "valid", multiple=True, metavar="PATH", help="Held-out pictures.")
@click.option("-o", "target", required=True, metavar="OUT.safetensors", help="The model file to write.")
@click.option("--from", "start", metavar="MODEL", help="Begin with this model's network (a name or a path).")
@click.option("--config", multiple=True, metavar="NAME=VALUE", help="A setting of the network, as width=96.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=60.0, help="How long to train (60).")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint beside OUT.")
@click.option("--recipe", multiple=True, metavar="NAME=VALUE", help="A setting of the training, as jpeg=0.5.")
@click.option("--threads", type=click.IntRange(1), default=1, help="Threads of torch (1).")
@click.option("--seed", type=int, default=0, help="Of initial weights and of the choice of pieces (0).")
def images(
    paths: tuple[str, ...],
    valid: tuple[str, ...],
    target: str,
    start: str | None,
    config: tuple[str, ...],
    minutes: float,
    resume: bool,
    recipe: tuple[str, ...],
    threads: int,
    seed: int,
) -> None:
    """Train on pictures and folders of pictures, by maximum likelihood.

    Pictures come in pieces: mirrored, halved, some without colour and some once a JPEG. With --config squares=1, small
    square pictures (28 x 28, 32 x 32) stand below one another in one stack for each size. Beside OUT stand its
    checkpoint (OUT.checkpoint), written every minute, and its learning curve (OUT.csv).
    """
    out, checkpoint = _places(target, resume)
    from arcodec.models.registry import OF_PICTURES, Design
    from arcodec.training import pictures
    from arcodec.training.export import write_pixel_model

    begun = _begun(start, bool(config))
    design = Design.of(OF_PICTURES, **_settings(config)) if begun is None else begun.design
    if design.family != OF_PICTURES:
        raise UsageError(f"{start} predicts bytes: go on training it with 'arcodec train text'")
    fixed = {"minutes": minutes, "threads": threads, "seed": seed}
    plan = pictures.Recipe(**{**fixed, **_chosen(recipe, pictures.Recipe)})
    train, held_out = pictures.load(paths), pictures.load(valid)
    if design.config.squares:
        train, held_out = pictures.stacked(train), pictures.stacked(held_out)
    trainer = pictures.Trainer(design, plan, train, held_out)
    if resume:
        trainer.resume(checkpoint)
    elif begun is not None:
        trainer.begin_with(begun)

    def tell(report: pictures.Report) -> None:
        held = "" if report.valid_bpd is None else f"  held out {report.valid_bpd:.4f}"
        rate = f"{report.samples / report.seconds / 1e3:.1f} thousand samples/s"
        left = f"{max(0.0, minutes - report.seconds / 60):.0f} min left"
        click.echo(f"step {report.step:6}  train {report.train_bpd:.4f} bits/dim{held}  {rate}  {left}", err=True)

    trainer.run(checkpoint, out.with_name(out.name + ".csv"), tell)
    write_pixel_model(trainer.export(), design, out)
    click.echo(f"{out}: use it with --model {out}", err=True)


def _places(target: str, resume: bool) -> tuple[Path, Path]:
    """The model file and its checkpoint. Raises UsageError if they cannot be written, or would be lost."""
    out = Path(target)
    checkpoint = out.with_name(out.name + ".checkpoint")
    if out.suffix != ".safetensors":
        raise UsageError(f"{out}: a model file must end in .safetensors")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent}: no such folder")
    if resume and not checkpoint.is_file():
        raise UsageError(f"{checkpoint}: no checkpoint to go on from; leave out --resume")
    if not resume and checkpoint.exists():
        raise UsageError(f"{checkpoint} exists: give --resume to go on from it, or remove it")
    return out, checkpoint


def _begun(start: str | None, described: bool) -> Model | None:
    """The model that --from names, if there is one. Raises UsageError if its network is described anew."""
    from arcodec.models import store

    if start is None:
        return None
    if described:
        raise UsageError("--from takes the network as it is: do not describe another")
    return store.find(start)


def _kept(begun: Model, out: Path) -> Model:
    """The base of what begins with this model. Raises UsageError if it would be written over."""
    base = begun.base or begun
    if out.absolute() == base.path:
        raise UsageError(f"{out} is what would be fine-tuned, and is needed to read the result: give another -o")
    return base


def _chosen(pairs: tuple[str, ...], recipe: type) -> dict[str, Any]:
    """Settings of a recipe. Raises UsageError for one it does not have."""
    chosen, names = _settings(pairs), [field.name for field in dataclasses.fields(recipe)]
    unknown = set(chosen) - set(names)
    if unknown:
        raise UsageError(f"no training setting {min(unknown)!r}: there are {', '.join(names)}")
    return chosen


def _settings(pairs: tuple[str, ...]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"{pair!r}: write NAME=VALUE")
        try:
            settings[name] = json.loads(value)
        except json.JSONDecodeError:
            settings[name] = value
    return settings


def _tensorboard(folder: str | None) -> Any:
    if folder is None:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise UsageError("TensorBoard is not installed: pip install tensorboard, or leave out --tensorboard") from None
    return SummaryWriter(folder)
