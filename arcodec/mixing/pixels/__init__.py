"""Experts for pictures: what they know of a pixel is its neighbourhood, not the bytes before it."""
