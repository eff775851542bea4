"""Series of recordings of a synthetic corpus: who is recorded, how often, and under which names; nothing is written here."""

import random
from typing import NamedTuple

from saturi.etl.errors import OptionError
from saturi.schemas.terms import Region, SpeechType, Split

CODES = {
    Region.GANGWON: "gw",
    Region.GYEONGSANG: "gs",
    Region.CHUNGCHEONG: "cc",
    Region.JEOLLA: "jl",
    Region.JEJU: "jj",
}
FIRST_DATA_SET = (Region.GANGWON, Region.GYEONGSANG)
"""The regions of AI-Hub 71517 (139-1), whose members begin with a slash; the other three are in 71558 (139-2)."""

_KIND_SHARES = {SpeechType.REPEAT: 0.63, SpeechType.ANSWER: 0.32, SpeechType.DIALOGUE: 0.05}
_SPLIT_SHARES = {Split.TRAIN: 0.9, Split.VALIDATION: 0.1}
# 1,668 in all.
_SCRIPTS = {
    Region.GANGWON: 326,
    Region.GYEONGSANG: 345,
    Region.CHUNGCHEONG: 330,
    Region.JEOLLA: 333,
    Region.JEJU: 334,
}
_SETS = 3
_QUESTIONS = 60
_SECONDS = {SpeechType.REPEAT: (5, 11), SpeechType.ANSWER: (14, 38), SpeechType.DIALOGUE: (60, 140)}
_KIND_CODES = {SpeechType.REPEAT: "st", SpeechType.ANSWER: "say", SpeechType.DIALOGUE: "talk"}

_DATA_SETS = (
    "139-1.중·노년층 한국어 방언 데이터 (강원도, 경상도)",
    "139-2.중·노년층 한국어 방언 데이터 (충청도, 전라도, 제주도)",
)
_REGION_NAMES = {
    Region.GANGWON: "01._강원도",
    Region.GYEONGSANG: "02._경상도",
    Region.CHUNGCHEONG: "01._충청도",
    Region.JEOLLA: "02._전라도",
    Region.JEJU: "03._제주도",
}
_KIND_NAMES = {
    SpeechType.REPEAT: "01._1인발화_따라말하기",
    SpeechType.ANSWER: "02._1인발화_질문에답하기",
    SpeechType.DIALOGUE: "03._2인발화",
}


class LabelName(NamedTuple):
    """File name of one recording, in its parts."""

    region: Region
    kind: SpeechType
    script_set: int
    collector: str
    speakers: tuple[str, ...]
    prompt: int
    take: int | None
    seconds: int

    @property
    def stem(self) -> str:
        """The file name without its ending."""
        numbers = (self.prompt, self.seconds) if self.take is None else (self.prompt, self.take, self.seconds)
        parts = (_KIND_CODES[self.kind], f"set{self.script_set}", self.collector, *self.speakers, *map(str, numbers))
        return "_".join(parts)


class Series(NamedTuple):
    """
    The recordings of one (split, region, speech type), the contents of one archive.

    One validation speaker in eight is also heard in training, as in the real data (12 %).

    Args:
        speakers: How many people are heard in the training recordings of this region.
        scripts: How many of the region's scripts are read aloud, on both sides.
    """

    split: Split
    region: Region
    kind: SpeechType
    speakers: int
    scripts: int

    @property
    def path(self) -> str:
        """Path of the archive in AI-Hub's layout, relative to the corpus."""
        first, train = self.region in FIRST_DATA_SET, self.split is Split.TRAIN
        folder = f"{_DATA_SETS[not first]}/{'Training' if train else 'Validation'}/02.라벨링데이터"
        prefix = ("" if first else "(비식별화완료)") + ("TL" if train else "VL")
        return f"{folder}/{prefix}_{_REGION_NAMES[self.region]}_{_KIND_NAMES[self.kind]}.zip"

    def name(self, index: int, rng: random.Random) -> LabelName:
        """Return the name of recording *index*; no two are alike."""
        people = self.speakers if self.split is Split.TRAIN else max(8, self.speakers // 9)
        who, turn = index % people, index // people
        code, take = CODES[self.region], None
        # With a stride, two speakers do not read the same scripts in the same order.
        prompt = (turn + who * 37) % self.scripts
        if self.kind is not SpeechType.REPEAT:
            take, prompt = divmod(turn, _QUESTIONS * _SETS)
        pair = (who, (who + 1) % people) if self.kind is SpeechType.DIALOGUE else (who,)
        speakers = tuple(f"speaker{code}{self._number(person)}" for person in pair)
        # Each side has its own collectors, so that a speaker heard on both has no recording on both.
        collector = f"collector{code}{who % 40 + (1 if self.split is Split.TRAIN else 41)}"
        seconds = rng.randint(*_SECONDS[self.kind])
        script_set, number = prompt % _SETS + 1, prompt // _SETS + 1
        return LabelName(self.region, self.kind, script_set, collector, speakers, number, take, seconds)

    def _number(self, person: int) -> int:
        return person + 1 if self.split is Split.TRAIN or person % 8 == 1 else self.speakers + person + 1


def series_counts(files: int) -> dict[Series, int]:
    """
    Return every series of a corpus of *files* label files, and how many of them each has.

    Args:
        files: At least 60; the first series takes what rounding leaves over.

    Raises:
        OptionError: There are fewer files than that.
    """
    if files < 60:  # noqa: PLR2004 - with fewer, thirty archives do not get one each
        raise OptionError("files", f"{files} is too few for 30 archives", "ask for 60 or more")
    each = files // len(CODES)
    # A full region has some 140,000 files and 700 speakers; past that, names would repeat with fewer than one in 200.
    speakers = max(8, min(700, each // 25), each // 200)
    counts = {
        Series(split, region, kind, speakers, min(_SCRIPTS[region], each // 4)): max(1, int(each * of_split * of_kind))
        for split, of_split in _SPLIT_SHARES.items()
        for region in CODES
        for kind, of_kind in _KIND_SHARES.items()
    }
    first = next(iter(counts))
    counts[first] += files - sum(counts.values())
    return counts
