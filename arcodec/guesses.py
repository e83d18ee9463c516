"""What the predictor of a file expected at every position: for reports, never for coding."""

from __future__ import annotations

import numpy as np

from . import container
from .mixing import guesses as of_mixture
from .mixing.team import TEAMS
from .models import guesses as of_network
from .models import store
from .models.engine import Progress
from .models.parallel import side_by_side
from .predictor import Predictor, Resources, of_header


def likeliest(
    content: bytes,
    original: bytes,
    wanted: np.ndarray,
    count: int,
    model: str | None = None,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Where wanted (n,) bool, before each byte of an .arc file's original: the likeliest bytes and their shares.

    Both (n, count), uint8 and float64; shares fall. A share of 0 means that no byte is said there: nothing else is
    likely, nobody asked, or the block is stored. Experts learn between the bits of a byte, so a byte's cost may differ
    a little from its share before the first of them.

    model: see ``decompress``. Raises ModelError if a model is not at hand.
    """
    symbols = np.frombuffer(original, np.uint8)
    guesses, shares = np.zeros((len(symbols), count), np.uint8), np.zeros((len(symbols), count))
    start, todo = 0, []
    for member in container.members(memoryview(content)):
        predictor = of_header(member.header, model)
        if member.header.picture is not None:  # not of bytes
            start += member.header.length * member.header.symbol_size
            continue
        for number, block in enumerate(member.blocks):
            part = slice(start, start + member.header.symbols(number))
            start = part.stop
            if not block.stored and wanted[part].any():
                todo.append((part, predictor))
    cores = Resources(threads).cores(len(todo))

    def one(block: tuple[slice, Predictor], tell: Progress) -> None:
        part, predictor = block
        guesses[part], shares[part] = _of_block(predictor, symbols[part], wanted[part], count)
        tell(part.stop - part.start)

    for _ in side_by_side(one, todo, cores, lambda done: None):
        pass
    return guesses, shares


def _of_block(predictor: Predictor, block: np.ndarray, wanted: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    program, beside = (None if m is None else store.program(m) for m in (predictor.model, predictor.beside))
    if predictor.has_experts:
        return of_mixture.likeliest(program, TEAMS[predictor.level], block, wanted, count, beside)
    assert program is not None
    return of_network.likeliest(program, block, wanted, count)
