"""What can go wrong, each with its exit code. A message says what was found, what was expected and what to do."""

from __future__ import annotations


class ArcodecError(Exception):
    """Any failure of this library."""

    exit_code = 1


class UsageError(ArcodecError, ValueError):
    """The caller asked for something that does not exist or does not fit."""

    exit_code = 2


class DamagedError(ArcodecError, ValueError):
    """The input is not an .arc file, or not the one that was written."""

    exit_code = 4


class ModelError(ArcodecError, LookupError):
    """The model a file needs is missing, different or gives other frequencies on this machine."""

    exit_code = 5


class LimitError(ArcodecError, ValueError):
    """Going on would exceed a limit the caller has set."""

    exit_code = 6
