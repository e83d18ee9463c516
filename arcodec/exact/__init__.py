"""Arithmetic that gives one answer on every machine (docs/EXACT.md)."""
