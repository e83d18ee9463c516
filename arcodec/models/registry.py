"""The families of networks, in one place. A fourth is one new file and one line here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ..errors import UsageError
from ..exact.spec import Network, check
from . import attention, convolution, recurrent

_LARGEST, _MOST_PARTS = 1 << 16, 64  # of any setting, so that describing a network takes no time

FAMILIES: dict[str, ModuleType] = {
    "recurrent": recurrent,
    "convolution": convolution,
    "attention": attention,
}


@dataclass(frozen=True)
class Design:
    """A family and its configuration: all that must be known to build the network."""

    family: str
    config: Any  # the family's frozen Config

    @classmethod
    def of(cls, family: str, **overrides: Any) -> Design:
        """The family's default configuration with some fields replaced.

        Raises UsageError for a family or a field that does not exist, and for a value of the wrong type.
        """
        if family not in FAMILIES:
            raise UsageError(f"no model family {family!r}: choose one of {', '.join(FAMILIES)}")
        config_class = FAMILIES[family].Config
        defaults = {field.name: field.default for field in dataclasses.fields(config_class)}
        settings = {name: tuple(value) if isinstance(value, list) else value for name, value in overrides.items()}
        for name, value in settings.items():
            if name not in defaults:
                raise UsageError(f"family {family} has no setting {name!r}: it has {', '.join(defaults)}")
            parts = value if isinstance(value, tuple) else (value,)
            if type(value) is not type(defaults[name]) or not all(type(part) is int for part in parts):
                expected = type(defaults[name]).__name__
                raise UsageError(f"{family}.{name} is {value!r}; expected {expected}")
            if len(parts) > _MOST_PARTS or not all(0 <= part <= _LARGEST for part in parts):
                raise UsageError(f"{family}.{name} is out of range: expected numbers from 0 to {_LARGEST}")
        design = cls(family, config_class(**settings))
        check(design.network())
        return design

    def network(self) -> Network:
        """The layers."""
        spec: Network = FAMILIES[self.family].network(self.config)
        return spec

    def settings(self) -> dict[str, Any]:
        """The configuration's fields, JSON-able."""
        return dataclasses.asdict(self.config)
