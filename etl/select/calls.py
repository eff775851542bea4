"""
Functions of this room that run in workers, as the parent hands them out.

Each imports its module when it is called, in the worker: the parent never loads Polars, which keeps it small and saves
its start 0.1 s.
"""

from saturi.etl.select.quotas import Stratum
from saturi.etl.select.tasks import CompareTask, JudgeTask, LimitTask, SampleTask, Shared, ShareTask


def judge(task: JudgeTask) -> None:
    """Write the decisions on the utterances of a group, each by itself; see `saturi.etl.select.rules`."""
    from saturi.etl.select import rules

    rules.judge(task)


def compare(task: CompareTask) -> None:
    """Write the decisions on repetitions and conflicts of a section; see `saturi.etl.select.dedup`."""
    from saturi.etl.select import dedup

    dedup.compare(task)


def find_shared(task: ShareTask) -> None:
    """Write which texts are in train and in validation; see `saturi.etl.select.leaks`."""
    from saturi.etl.select import leaks

    leaks.find_shared(task)


def limit(task: LimitTask) -> dict[Stratum, int]:
    """Write the decisions on limits of a section, and return how many are left of each stratum; see `saturi.etl.select.limits`."""
    from saturi.etl.select import limits

    return limits.limit(task)


def sample(task: SampleTask) -> None:
    """Write the final decisions on a section; see `saturi.etl.select.sampling`."""
    from saturi.etl.select import sampling

    sampling.sample(task)


def count_shared(task: ShareTask) -> Shared:
    """Return the numbers of keys and texts in both splits; see `saturi.etl.select.leaks`."""
    from saturi.etl.select import leaks

    return leaks.count_shared(task)
