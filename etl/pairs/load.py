"""All pairs of a finished build as one frame, with what is known of each."""

from typing import TYPE_CHECKING

from saturi.etl.errors import OptionError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.pairs.places import Places, script_of
from saturi.etl.storage.location import Location
from saturi.schemas.terms import Split

if TYPE_CHECKING:
    import polars as pl
    from datasets import DatasetDict

COLUMNS = ("source", "target", "region", "speech_type", "split", "script", "archive", "member", "sentence")


def load(out: str | Location) -> "pl.DataFrame":
    """
    Return all examples of the build in *out*, in the order of its chunks, which are verified as they are read.

    Returns:
        `source`, `target`, `region`, `speech_type`, `split`; `script` (set and prompt in the name of the label file, with a
        colon between them; null where it has none), `archive`, `member` and `sentence` (null where a line is a whole label
        file). Where shards are not apart by region or speech type, these follow from names. Without a lineage `script` to
        `sentence` are null.

    Raises:
        BuildError: There is no finished build, or it is damaged.
    """
    import polars as pl  # noqa: PLC0415 - the parent of a build never loads it

    build = FinishedBuild.open(out)
    examples = build.examples().select("chunk", "line", *COLUMNS[:5])
    if not build.has_lineage:
        texts = {name: pl.lit(None, pl.String) for name in ("script", "archive", "member")}
        return build.collect(examples.with_columns(**texts, sentence=pl.lit(None, pl.UInt32)).select(COLUMNS))
    lineage = build.lineage().select("chunk", "line", "archive", "member", "sentence")
    rows = build.collect(examples.join(lineage, on=["chunk", "line"], how="left", maintain_order="left"))
    origins = rows.select("archive", "member", "region", "speech_type").unique(maintain_order=True)
    places = Places(build)
    known = pl.DataFrame(
        [
            (
                archive,
                member,
                region,
                speech_type,
                places.region(region, archive, member),
                places.speech_type(speech_type, archive, member),
                script_of(member),
            )
            for archive, member, region, speech_type in origins.iter_rows()
        ],
        schema=dict.fromkeys((*origins.columns, "its_region", "its_speech_type", "script"), pl.String),
        orient="row",
    )
    return (
        rows.join(known, on=origins.columns, how="left", maintain_order="left")
        .with_columns(region="its_region", speech_type="its_speech_type")
        .select(COLUMNS)
    )


def load_dataset(out: str | Location) -> "DatasetDict":
    """
    Return the frame of `load` as a `datasets.DatasetDict`, with the splits of the build.

    Raises:
        OptionError: The library `datasets` is not installed.
        BuildError: There is no finished build, or it is damaged.
    """
    import polars as pl  # noqa: PLC0415 - the parent of a build never loads it

    try:
        from datasets import Dataset, DatasetDict  # noqa: PLC0415 - a library of those who want it
    except ImportError as error:
        raise OptionError("load_dataset", "the library datasets is not installed", "pip install datasets") from error
    rows = load(out)
    splits = [split for split in Split if (rows["split"] == split.value).any()]
    return DatasetDict(
        {split.value: Dataset.from_polars(rows.filter(pl.col("split") == split.value)) for split in splits}
    )
