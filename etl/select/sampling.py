"""Keep of each stratum as many utterances as its quota says, chosen by hash."""

from collections.abc import Mapping

import polars as pl

from etl.corpus.groups import Group
from etl.select.choice import order
from etl.select.decisions import drop, kept_for
from etl.select.quotas import Quota, Stratum
from schemas.terms import DropReason, Split


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
