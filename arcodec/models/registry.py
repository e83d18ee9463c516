"""The families of networks, in one place. A fourth is one new file and one line here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ..errors import UsageError
from ..exact.spec import Network, Stacks, check
from . import attention, convolution, pixels, recurrent

_LARGEST, _MOST_PARTS = 1 << 16, 64  # of any setting, so that describing a network takes no time

FAMILIES: dict[str, ModuleType] = {
    "recurrent": recurrent,
    "convolution": convolution,
    "attention": attention,
}  # of bytes
OF_PICTURES = "pixels"
# What a setting was before there was one. Each new one belongs here, or older models would become others.
_BEFORE = {"recurrent": {"followers": 0}}
_ALL = {**FAMILIES, OF_PICTURES: pixels}
_GROW = ("width", "blocks", "expansion")  # settings of family recurrent


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
        if family not in _ALL:
            raise UsageError(f"no model family {family!r}: choose one of {', '.join(_ALL)}")
        config_class = _ALL[family].Config
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
        check(design.layers())
        return design

    @classmethod
    def saved(cls, family: str, settings: dict[str, Any]) -> Design:
        """The design that a file describes; a setting that it does not name was not there yet. Raises as ``of``."""
        return cls.of(family, **{**_BEFORE.get(family, {}), **settings})

    def check_growth(self, grown: Design) -> None:
        """Raise UsageError unless training of the grown network can begin with one of this design.

        What is new adds nothing at first: rows of followers and, of family recurrent, width, blocks and expansion.
        """
        config, larger = self.config, grown.config
        if self.family == grown.family == "recurrent":
            more = {name: max(getattr(config, name), getattr(larger, name)) for name in _GROW}
            config = dataclasses.replace(config, **more, followers=config.followers or larger.followers)
        differs = _differences(Design(self.family, config), grown)
        if differs:
            raise UsageError(f"the network to begin with is another, which does not grow into this one: {differs}")

    def check_same(self, other: Design, of: str) -> None:
        """Raise UsageError, with words about ``of``, which has this design, unless the other is the same."""
        differs = _differences(self, other)
        if differs:
            raise UsageError(f"{of} is of another network: {differs}; give the settings that it was begun with")

    def reads_rows_of(self, other: Design) -> bool:
        """Whether rows of contexts mean the same in both networks, however different what stands behind them."""
        if self.of_pictures or other.of_pictures:
            return False
        ours, theirs = self.network().embed, other.network().embed
        return dataclasses.replace(theirs, width=ours.width) == ours

    @property
    def of_pictures(self) -> bool:
        """Whether it predicts pixels, and not bytes."""
        return self.family == OF_PICTURES

    def layers(self) -> Network | Stacks:
        """All of them, whatever it predicts."""
        spec: Network | Stacks = _ALL[self.family].network(self.config)
        return spec

    def network(self) -> Network:
        """The layers of a network that predicts bytes. Raises UsageError if it predicts pixels."""
        spec = self.layers()
        if isinstance(spec, Stacks):
            raise UsageError(f"a network of family {self.family} predicts pictures, not bytes")
        return spec

    def stacks(self) -> Stacks:
        """The layers of a network that predicts pixels. Raises UsageError if it predicts bytes."""
        spec = self.layers()
        if not isinstance(spec, Stacks):
            raise UsageError(f"a network of family {self.family} predicts bytes, not pictures")
        return spec

    def settings(self) -> dict[str, Any]:
        """The configuration's fields, JSON-able."""
        return dataclasses.asdict(self.config)


def _differences(one: Design, other: Design) -> str:
    """In words; empty if there are none."""
    if one.family != other.family:
        return f"its family is {one.family}, not {other.family}"
    ours, theirs = one.settings(), other.settings()
    return ", ".join(f"its {name} is {ours[name]}, not {theirs[name]}" for name in ours if ours[name] != theirs[name])
