"""Record formats, one module each; ``catalogue`` is the table of them."""
