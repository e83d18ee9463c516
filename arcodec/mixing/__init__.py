"""Experts that learn while they code, and the mixer that weighs them."""
