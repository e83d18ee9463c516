"""A second core that computes a share of each product of a large network.

Such a product is bound by memory, which serves two cores better than one. Whoever codes posts each product on a board
and computes its outputs from the first on; the helper computes them from the last on, into room of its own, and says on
the board how far it is. Where they meet, the product is done. While coding, nobody waits: a helper that the system has
put to sleep, or that was never there, leaves the work to the other, and what it says of a product that is over is not
believed. The sums are of integers, so it does not matter who computed which.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from ..jit import kernel
from . import program as p
from .dot import ROWS, matrix_vector
from .program import Program, State

_LEAST = 1 << 20  # weights from which on it pays; fewer fit the cache of a core
_GRAIN = 1 << 14  # multiply-adds between two looks at the board

# Places on the board: the product at hand, its number and its layer in one word; how many there were; and on another
# cache line the number again and how many outputs the helper has.
_JOB, _COUNT, _FAR = 0, 1, p.BOARD // 2
_SHIFT = 20
_LOW = (1 << _SHIFT) - 1
_IDLE, _STOP = 0, -1


def pays(program: Program) -> bool:
    """Whether a network is large enough for two cores."""
    return len(program.weights) >= _LEAST


def _address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.gep(context.make_array(signature.args[0])(context, builder, arguments[0]).data, [arguments[1]])


@intrinsic
def _load(typing_context: Any, board: Any, place: Any) -> Any:
    """board[place], and whatever its writer had written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_address(context, builder, signature, arguments), "acquire", 8)

    return types.int64(board, types.int64), generate


@intrinsic
def _store(typing_context: Any, board: Any, place: Any, value: Any) -> Any:
    """Write board[place] behind all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], _address(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return types.void(board, types.int64, types.int64), generate


@kernel
def _grain(inputs: int) -> int:
    """Outputs between two looks at the board."""
    return max(1, _GRAIN // (inputs * ROWS)) * ROWS


@kernel
def share(state: State, layer: int, weights: np.ndarray, codes: np.ndarray, out: np.ndarray) -> None:
    """``matrix_vector`` of a layer, its last outputs left to the helper as far as it gets."""
    board, inputs = state.board, len(codes)
    board[_COUNT] += 1
    number = board[_COUNT]
    _store(board, _JOB, (number << _SHIFT) | layer)  # type: ignore[call-arg]
    grain, first, done = _grain(inputs), 0, 0
    while first + done < len(out):
        stop = min(first + grain, len(out) - done)
        matrix_vector(weights[first * inputs : stop * inputs], codes, state.sums, out[first:stop])
        first = stop
        far: int = _load(board, _FAR)
        done = far & _LOW if far >> _SHIFT == number else 0
    _store(board, _JOB, _IDLE)
    for i in range(first, len(out)):
        out[i] = state.answers[i]


@kernel
def assist(program: Program, state: State) -> None:
    """Help with every product posted, until told to stop."""
    board, last = state.board, 0
    while True:
        job: int = _load(board, _JOB)  # type: ignore[call-arg]
        if job == _STOP:
            return
        if job in (_IDLE, last):
            continue
        last, layer = job, program.layers[job & _LOW]
        inputs, outputs, at = layer[p.INPUTS], layer[p.OUTPUTS], layer[p.WEIGHTS]
        grain, first = _grain(inputs), outputs
        while first > 0 and _load(board, _JOB) == job:
            stop, first = first, max(0, first - grain)
            matrix_vector(
                program.weights[at + first * inputs : at + stop * inputs],
                state.codes_now[:inputs],
                state.helper_sums,
                state.answers[first:stop],
            )
            _store(board, _FAR, (job >> _SHIFT << _SHIFT) | (outputs - first))


@kernel
def _say(board: np.ndarray, what: int) -> None:
    _store(board, _JOB, what)  # type: ignore[call-arg]


@contextmanager
def helped(program: Program, state: State) -> Iterator[None]:
    """Inside, a second core helps whoever runs the program with this state, if the state has a board."""
    if not len(state.board):
        yield
        return
    _say(state.board, _IDLE)  # compiled here, not when it must not fail any more
    helper = threading.Thread(target=assist, args=(program, state), daemon=True)
    try:
        with suppress(RuntimeError):  # the system has no thread to give: it goes without
            helper.start()
        yield
    finally:
        _say(state.board, _STOP)
        if helper.ident is not None:
            helper.join()
