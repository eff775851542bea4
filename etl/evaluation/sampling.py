"""Which rows are in a sample: of each stratum a like share, chosen by the hash of their texts."""

import numpy as np
import numpy.typing as npt


def choose(hashes: npt.NDArray[np.uint64], strata: npt.NDArray[np.int64], sample: int) -> npt.NDArray[np.bool_]:
    """
    Return which rows are among the *sample* that are chosen.

    Every row has a place in its stratum, by its hash, and those come first that are first by the share of their stratum
    before them. So every stratum has a row before any has two, shares are alike to one row, and a smaller sample is a part
    of a larger one, whose answers are known then.

    Args:
        hashes: Of the texts of each row; equal ones in the order of the rows.
        strata: The number of each row's stratum.
        sample: How many; all rows if there are no more.
    """
    ordered = np.lexsort((hashes, strata))
    sizes = np.bincount(strata)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    place = np.arange(len(hashes)) - starts[strata[ordered]]
    share = place / sizes[strata[ordered]]
    first = ordered[np.lexsort((ordered, strata[ordered], share))][:sample]
    chosen = np.zeros(len(hashes), dtype=np.bool_)
    chosen[first] = True
    return chosen
