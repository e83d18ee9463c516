"""The models that ship, each with its card."""
