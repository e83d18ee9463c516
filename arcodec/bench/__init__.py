"""Peers, corpora and measurements: ``python -m arcodec.bench``."""
