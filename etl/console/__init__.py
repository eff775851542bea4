"""Console: the command line and what it shows; the only room that imports click and rich."""
