"""The dialect data sets of AI-Hub, by number and by name."""

import unicodedata
from collections.abc import Iterable
from typing import Literal, NamedTuple

from saturi.etl.errors import OptionError

Generation = Literal["2022", "2020"]
_LONGEST_NUMBER = 9


class KnownDataSet(NamedTuple):
    """A data set that `build` reads."""

    number: int
    generation: Generation
    title: str
    english: str


KNOWN = (
    KnownDataSet(71517, "2022", "139-1 중·노년층 한국어 방언 데이터 (강원도, 경상도)", "gangwon gyeongsang"),
    KnownDataSet(
        71558, "2022", "139-2 중·노년층 한국어 방언 데이터 (충청도, 전라도, 제주도)", "chungcheong jeolla jeju"
    ),
    KnownDataSet(118, "2020", "한국어 방언 발화(강원도)", "gangwon"),
    KnownDataSet(119, "2020", "한국어 방언 발화(경상도)", "gyeongsang"),
    KnownDataSet(120, "2020", "한국어 방언 발화(전라도)", "jeolla"),
    KnownDataSet(121, "2020", "한국어 방언 발화(제주도)", "jeju"),
    KnownDataSet(122, "2020", "한국어 방언 발화(충청도)", "chungcheong"),
)
"""As AI-Hub calls them; regions in English are those of this project."""


def numbers_of(names: Iterable[str | int], generation: Generation | None) -> tuple[int, ...]:
    """
    Return the numbers of the data sets that *names* and *generation* choose, without repetition.

    Args:
        names: Numbers, of any data set; or parts of the names of known ones, which may be several.
        generation: Keeps known data sets of this generation only; without *names* it chooses all of them.

    Raises:
        OptionError: A name is none, or nothing is chosen.
    """
    texts = [unicodedata.normalize("NFC", str(name)).strip() for name in names]
    if not texts and generation is None:
        raise OptionError("DATA_SET", "none given", f"give {_choices()}, or --generation 2022")
    chosen = [number for text in texts for number in _numbers(text)] if texts else [known.number for known in KNOWN]
    generations: dict[int, str] = {known.number: known.generation for known in KNOWN}
    kept = dict.fromkeys(number for number in chosen if generation in (None, generations.get(number)))
    if not kept:
        raise OptionError("--generation", f"no data set of {generation} is among those given", f"give {_choices()}")
    return tuple(kept)


def _numbers(name: str) -> list[int]:
    if name.isascii() and name.isdigit() and len(name) <= _LONGEST_NUMBER and int(name):
        return [int(name)]
    squeezed = _squeezed(name)
    numbers = [known.number for known in KNOWN if squeezed and squeezed in _squeezed(f"{known.title} {known.english}")]
    if not numbers:
        raise OptionError("DATA_SET", f"{name[:100]!r} is no data set", f"give {_choices()}")
    return numbers


def _squeezed(name: str) -> str:
    return "".join(name.casefold().split())


def _choices() -> str:
    known = ", ".join(f"{known.number} ({known.title.removesuffix(')').rpartition('(')[2]})" for known in KNOWN)
    return f"numbers or names: {known}"
