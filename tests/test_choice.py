"""What is chosen by hash: the same for ever, evenly spread, and by each rule apart from every other."""

from typing import Any

import polars as pl
import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.select.choice import choices, order, within
from saturi.schemas.terms import Dedup, DropReason

RULES = [DropReason.IDENTICAL, DropReason.OVER_SCRIPT, DropReason.OVER_SPEAKER, DropReason.NOT_SAMPLED]


def _frame(pairs: list[tuple[str | None, str | None]], **more: list[Any]) -> pl.DataFrame:
    schema = {"source": pl.String, "target": pl.String}
    return pl.DataFrame(pairs, schema=schema, orient="row").with_columns(**{k: pl.Series(v) for k, v in more.items()})


def _numbers(frame: pl.DataFrame, dedup: str = "pair") -> list[int]:
    return choices(frame, Dedup(dedup)).to_list()


@pytest.mark.parametrize(
    ("dedup", "number"),
    [
        pytest.param("pair", 0xD7DEC839DF6D4957, id="pair"),
        pytest.param("source", 0xE372F5F3DB2108CA, id="source"),
        pytest.param("none", 0xD81702BB4B09DBF7, id="none"),
    ],
)
def test_numbers_never_change(dedup: str, number: int) -> None:
    """The number of an utterance is part of the format: another one would choose other examples."""
    frame = _frame([("혼저 옵서예", "어서 오세요")], member=["폴더/st_set1.json"], sentence=[2])
    assert _numbers(frame, dedup) == [number]


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        (DropReason.IDENTICAL, 0x53974536F8B83149),
        (DropReason.OVER_SCRIPT, 0x0BFBCACD9915F556),
        (DropReason.OVER_SPEAKER, 0x7C5A7417C77707B2),
        (DropReason.NOT_SAMPLED, 0x19470F1DE116075D),
    ],
)
def test_orders_never_change(rule: DropReason, place: int) -> None:
    """The place of a number in the order of a rule is part of the format, too."""
    assert pl.DataFrame({"choice": [2022]}, schema={"choice": pl.UInt64}).select(order(rule)).item() == place


@pytest.mark.parametrize(
    ("dedup", "equal"),
    [
        pytest.param("pair", [0, 0, 0, 3, 4], id="pairs-by-their-texts"),
        pytest.param("source", [0, 0, 0, 0, 4], id="sources-by-their-text"),
        pytest.param("none", [0, 0, 2, 3, 4], id="all-by-their-file-too"),
    ],
)
def test_what_tells_utterances_apart(dedup: str, equal: list[int]) -> None:
    """Equal for the choice are those of which a shard holds but one; the folder of a file and its archive count for nothing."""
    pairs: list[tuple[str | None, str | None]] = [("가", "나"), ("가", "나"), ("가", "나"), ("가", "다"), ("가나", "")]
    frame = _frame(pairs, member=["a/x.json", "/x.json", "y.json", "x.json", "x.json"])
    numbers = _numbers(frame, dedup)
    assert [numbers.index(number) for number in numbers] == equal


def test_no_text_is_an_empty_text() -> None:
    """A missing text counts as an empty one, and a boundary between texts is not lost."""
    numbers = _numbers(_frame([(None, "가"), ("", "가"), ("가", None), ("가", "")]))
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]


@pytest.fixture(scope="module")
def many() -> pl.DataFrame:
    """The numbers of twenty thousand pairs."""
    frame = _frame([(f"가 {number}", f"나 {number % 7}") for number in range(20_000)])
    return pl.DataFrame({"choice": choices(frame, Dedup.PAIR)})


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("rule", RULES)
def test_a_share_is_kept(many: pl.DataFrame, rule: DropReason, share: float) -> None:
    """Each rule takes of many utterances about the share it should."""
    assert many.select(within(share, rule).mean()).item() == pytest.approx(share, abs=0.015)


def test_no_rule_prefers_what_another_took(many: pl.DataFrame) -> None:
    """What one rule has left is no biased sample for another: of its tenth, a tenth is among the other's."""
    for one in RULES:
        for other in RULES:
            both = many.select((within(0.1, one) & within(0.1, other)).sum()).item()
            assert both == pytest.approx(2_000 if one is other else 200, rel=0.3)


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), min_size=1, max_size=20), st.randoms())
@examples(50)
def test_numbers_do_not_depend_on_others(pairs: list[tuple[str | None, str | None]], rng: Any) -> None:
    """The number of an utterance is its own, whatever stands beside it and in whatever order."""
    pairs = [
        pair for pair in pairs if not any("\ud800" <= letter <= "\udfff" for text in pair for letter in text or "")
    ]
    shuffled = rng.sample(pairs, len(pairs))
    if pairs:
        assert dict(zip(shuffled, _numbers(_frame(shuffled)), strict=True)) == {
            pair: _numbers(_frame([pair]))[0] for pair in pairs
        }
