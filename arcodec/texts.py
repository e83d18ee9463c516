"""Real text that every machine has: the manual that comes with Python, and modules of its library."""

from __future__ import annotations

import importlib
import inspect
import string


def manual() -> bytes:
    """English: the pages of Python's own help, some 400 KB of reStructuredText."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics)).encode()


def letters_only(text: bytes) -> bytes:
    """Lower-case letters with one space between words."""
    kept = set(string.ascii_lowercase)
    words = "".join(c if c in kept else " " for c in text.decode(errors="replace").lower()).split()
    return " ".join(words).encode()


def code() -> bytes:
    """Python: modules of the standard library."""
    names = ("argparse", "ast", "calendar", "csv", "difflib", "inspect", "json.decoder", "shutil", "textwrap")
    return "\n".join(inspect.getsource(importlib.import_module(name)) for name in names).encode()
