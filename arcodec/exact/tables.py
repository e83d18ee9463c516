"""The integer tables behind sigmoid, exp2 and softmax.

They are computed once, when a model file is written, and read from it ever after: exp may differ in its last bit
between machines, a table in a file cannot.
"""

from __future__ import annotations

import numpy as np

from .spec import CODE_LIMIT

SIGMOID_STEP = 1 / 16  # of the code that goes in
SIGMOID_BITS = 16  # an entry is sigmoid(x) * 2**16
LOGIT_STEP = 1 / 64  # bits
WEIGHT_BITS = 24  # the most probable symbol weighs 2**24
SCORE_STEP = 1 / 8  # bits
SCORE_PEAK = 1023  # weight of the best key: 1023 * 127 * 128 keys stays below 2**24


def sigmoid_table() -> np.ndarray:
    """sigmoid(code / 16) * 2**16 for codes -127..127; never 0 or 2**16. Shape (255,), int32."""
    codes = np.arange(-CODE_LIMIT, CODE_LIMIT + 1)
    return np.rint(2**SIGMOID_BITS / (1 + np.exp(-codes * SIGMOID_STEP))).astype(np.int32)


def exp2_table() -> np.ndarray:
    """2**24 * 2**(-i/64) for i = 0..1536, at least 1. Shape (1537,), int32."""
    return np.rint(2.0 ** (WEIGHT_BITS - np.arange(24 * 64 + 1) * LOGIT_STEP)).astype(np.int32)


def softmax_table() -> np.ndarray:
    """1023 * 2**(-i/8) for i = 0..95, the last 0: keys that far behind the best count for nothing. int32."""
    table = np.rint(SCORE_PEAK * 2.0 ** (-np.arange(96) * SCORE_STEP)).astype(np.int32)
    table[-1] = 0
    return table
