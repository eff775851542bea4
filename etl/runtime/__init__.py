"""
Runtime: the executor seam and the workers behind it, a run of steps, its progress and its measurements.

Tasks reach workers through `executor` and through nothing else; `processes` is the default behind it, `cluster` a Dask cluster.
Knows nothing of a corpus.
"""
