"""Runtime: the executor seam, its processes, a run and its measurements."""
