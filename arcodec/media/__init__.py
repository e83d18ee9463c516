"""Pictures to samples and back. Bytes need no medium: they are symbols already."""
