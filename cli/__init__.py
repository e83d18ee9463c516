"""The ``arcodec`` command."""
