"""Several blocks on several cores, results in order, and an end to all of it when one fails."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from .engine import Progress

_CHUNK = 4096  # symbols between two looks at the world outside
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class _StoppedError(Exception):
    """Another block failed, or nobody wants the results any more."""


def chunks(length: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of the pieces after which a worker reports."""
    for start in range(0, length, _CHUNK):
        yield start, min(start + _CHUNK, length)


def side_by_side(
    one: Callable[[_In, Progress], _Out], blocks: Sequence[_In], threads: int, progress: Progress
) -> Iterator[_Out]:
    """one(block, progress) for every block, in order."""
    stop = threading.Event()

    def tell(done: int) -> None:
        if stop.is_set():
            raise _StoppedError
        progress(done)

    if threads == 1 or len(blocks) == 1:
        yield from (one(block, tell) for block in blocks)
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            waiting: deque[Future[_Out]] = deque()
            for block in blocks:
                if len(waiting) >= 2 * threads:  # do not run far ahead of whoever takes the results
                    yield waiting.popleft().result()
                waiting.append(pool.submit(one, block, tell))
            while waiting:
                yield waiting.popleft().result()
        finally:
            stop.set()  # whoever still works on a later block need not finish it
            pool.shutdown(wait=True, cancel_futures=True)
