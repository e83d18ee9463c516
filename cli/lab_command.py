"""arcodec lab"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from . import console


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...|all")
@click.option("--html", metavar="OUT", help="Write a page with the tables and plots, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every figure.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Another seed draws other samples (0).")
@click.option("--quick", is_flag=True, help="With less data: all of them in under two minutes.")
@click.option("-f", "force", is_flag=True, help="Overwrite the page.")
def command(names: tuple[str, ...], html: str | None, as_json: bool, seed: int, quick: bool, force: bool) -> None:
    """Run experiments: a sentence of theory each, and what was measured on data really coded and decoded.

    NAME is one of codes, kl, modes, mle, montecarlo, chain, families, sgd, capacity, entropy-limit, sampling, classify.
    The exit code is 1 if the theory does not hold on what was measured.
    """
    from arcodec import lab
    from arcodec.files import replacing
    from arcodec.report import experiments, plots

    wanted = list(lab.NAMES) if "all" in names else list(dict.fromkeys(names))
    for name in wanted:
        lab.experiment(name)  # a wrong name is said before anything runs
    if html is not None:
        plots.need()
        console.check_target(html, force)
    results = {}
    for name in wanted:
        results[name] = lab.run(name, seed, quick)
        if not as_json:
            click.echo(experiments.as_text(name, results[name]) + "\n")
    if as_json:
        click.echo(json.dumps({name: result.as_dict() for name, result in results.items()}, indent=2))
    if html is not None:
        with replacing(Path(html), overwrite=force) as file:
            file.write(experiments.as_page(results).encode())
    failed = [name for name, result in results.items() if not result.holds]
    if failed:
        console.complain(f"the theory does not hold on what was measured: {', '.join(failed)}")
        sys.exit(1)
