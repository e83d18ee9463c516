"""``python -m arcodec_cli``."""

from .main import main

main()
