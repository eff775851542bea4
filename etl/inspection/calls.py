"""
Functions of this room that run in workers, as the parent hands them out.

Each imports its module when it is called, in the worker: the parent never loads Polars, which keeps it small and saves
its start 0.1 s.
"""

from saturi.etl.inspection.sketch import BatchSketch
from saturi.etl.inspection.tasks import InspectTask, SketchTask


def inspect_batch(task: InspectTask) -> BatchSketch:
    """Look at a batch, and return what is in it; see `saturi.etl.inspection.sketching`."""
    from saturi.etl.inspection import sketching

    return sketching.inspect_batch(task)


def inspect_segment(task: SketchTask) -> BatchSketch:
    """Look at a segment, and return what is in it; see `saturi.etl.inspection.sketching`."""
    from saturi.etl.inspection import sketching

    return sketching.inspect_segment(task)
