"""Standard output as a pipe that may close."""

from __future__ import annotations

import sys


class ClosedPipe(BaseException):
    """Whoever read our output has gone: no error, and nobody to tell."""


def to_stdout(part: bytes) -> None:
    """Write and flush bytes. Raises ClosedPipe."""
    try:
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ClosedPipe from None
