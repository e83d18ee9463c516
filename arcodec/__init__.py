"""Lossless compression with learned models, exact to the last bit.

>>> import arcodec
>>> blob = arcodec.compress(b"It is a truth universally acknowledged, that a single man", model="text")
>>> arcodec.decompress(blob)
b'It is a truth universally acknowledged, that a single man'
"""

from .codec import compress, decompress, measure
from .errors import ArcodecError, DamagedError, LimitError, ModelError, UsageError
from .ledger import Ledger
from .pictures import compress_image, decompress_image, measure_image
from .stream import ArcFile, open
from .version import __version__

__all__ = [
    "ArcFile",
    "ArcodecError",
    "DamagedError",
    "Ledger",
    "LimitError",
    "ModelError",
    "UsageError",
    "__version__",
    "compress",
    "compress_image",
    "decompress",
    "decompress_image",
    "measure",
    "measure_image",
    "open",
]
