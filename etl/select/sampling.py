"""The last rule of selection: of each stratum as many utterances are kept as its quota says, chosen by hash."""

from collections.abc import Mapping
from itertools import groupby
from operator import attrgetter

import polars as pl

from saturi.etl.corpus.groups import Group
from saturi.etl.select.choice import order
from saturi.etl.select.decisions import by_stretch, drop, is_there, kept_for, read_decisions, write_step
from saturi.etl.select.quotas import Quota, Stratum
from saturi.etl.select.tasks import SampleTask, Step
from saturi.etl.storage.location import location_of
from saturi.schemas.terms import DropReason, Split

_COLUMNS = ["split", "reason", "choice"]


def sample(task: SampleTask) -> None:
    """
    Write the decisions on a section after `over_balance` and `not_sampled`.

    Raises:
        StorageError: They cannot be written.
    """
    folder = location_of(task.decisions)
    if is_there(folder, task.stretches, Step.SAMPLED):
        return
    for group, stretches in groupby(task.stretches, key=attrgetter("group")):
        tables = {stretch: read_decisions(folder, stretch, _COLUMNS, Step.LIMITED) for stretch in stretches}
        for stretch, rows in by_stretch(sampled(pl.concat(tables.values()), group, task.quotas), tables):
            write_step(folder, stretch, Step.SAMPLED, rows)


def sampled(decisions: pl.DataFrame, group: Group, quotas: Mapping[Stratum, Quota]) -> pl.DataFrame:
    """
    Return *decisions* where no split has more utterances kept than its quota.

    One order serves both rules, so that a sample is a part of what is balanced.

    Args:
        decisions: Columns `split`, `reason` and `choice` of *group*, in canonical order.
        quotas: Those of all strata of *group*.
    """
    for split in Split:
        quota = quotas[Stratum(split, group)]
        kept = decisions.with_row_index("at").filter(kept_for(split))
        if kept.height > quota.sampled:
            places = kept.sort(order(DropReason.NOT_SAMPLED), "at")["at"]
            decisions = drop(decisions, [places[quota.balanced :]], DropReason.OVER_BALANCE)
            decisions = drop(decisions, [places[quota.sampled : quota.balanced]], DropReason.NOT_SAMPLED)
    return decisions
