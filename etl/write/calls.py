"""
Functions of this room that run in workers, as the parent hands them out.

Each imports its module when it is called, in the worker: the parent never loads Polars, which keeps it small and saves
its start 0.1 s.
"""

from saturi.etl.write.tasks import RenderTask, SectionResult, TableTask, WriteTask


def render_stretch(task: RenderTask) -> None:
    """Write the lines of a stretch, and the published decisions on it; see `saturi.etl.write.stretch`."""
    from saturi.etl.write import stretch

    stretch.render_stretch(task)


def write_section(task: WriteTask) -> SectionResult:
    """Write the chunks of a section; see `saturi.etl.write.section`."""
    from saturi.etl.write import section

    return section.write_section(task)


def write_table(task: TableTask) -> int:
    """Write one of the tables beside the chunks, and return how many rows it has; see `saturi.etl.write.tables`."""
    from saturi.etl.write import tables

    return tables.write_table(task)
