"""arcodec sample"""

from __future__ import annotations

import click

from .pipe import to_stdout


@click.command()
@click.argument("spec")
@click.option(
    "-n", "count", type=click.IntRange(0), default=1_000_000, help="How many symbols, a byte each (1,000,000)."
)
@click.option("--seed", type=click.IntRange(0), default=0, help="Another seed gives another sample (0).")
def command(spec: str, count: int, seed: int) -> None:
    """Draw symbols from the source SPEC names and write them to standard output.

    SPEC is KIND or KIND:SETTING=VALUE,...: bernoulli:p=0.1, categorical:0.5,0.25,0.25, markov:order=2,alphabet=4,
    hidden:states=3, bursty:quiet=0.02,busy=0.4, image:alphabet=64,width=256, english, german.
    'arcodec ledger --source SPEC' then says what their entropy is, and what a model pays beyond it.
    """
    from arcodec import sources

    to_stdout(sources.parse(spec).sample(count, seed).tobytes())
