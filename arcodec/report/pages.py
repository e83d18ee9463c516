"""Whole pages: one file each, with nothing to fetch."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound

from .text import figure


class _Templates(BaseLoader):
    """The templates beside this file, however the package is installed."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Any]:
        path = files(__package__) / "templates" / template
        if not path.is_file():
            raise TemplateNotFound(template)
        return path.read_text(encoding="utf-8"), None, lambda: True


def page(template: str, **content: Any) -> str:
    """A page made of one of the templates."""
    environment = Environment(loader=_Templates(), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["figure"] = figure
    return environment.get_template(template).render(**content)
