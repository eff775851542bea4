"""
Runtime: the executor seam and the processes behind it, a run of steps, its progress and its measurements.

Tasks reach workers through `executor` and through nothing else; `processes` is the default behind it. Knows nothing of a corpus.
"""
