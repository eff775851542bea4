"""A corpus of both generations with every kind of markup, in which each reason to drop an utterance is reached in some build."""

import random
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from corpora import (
    ANSWER_ZIP,
    CONVERSATION_ZIP,
    DIALOGUE_ZIP,
    REPEAT_ZIP,
    Member,
    conversation,
    member,
    sentences,
    stem,
    write_zip,
)
from runs import lines_of, manifest_of, one_thread
from test_clean import BROKEN, MARKUP, NAMES, PERSONAL

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import DropReason, SpeechType, SplitKey

_MARKED = [*(row[1] for row in MARKUP), *(row[1] for row in PERSONAL), *BROKEN]
_REGIONS = ("gyeongsang", "jeju")  # of three
_STRICT: dict[str, Any] = {
    "split_by": tuple(SplitKey),
    "region": _REGIONS,
    "speech_type": ("repeat", "answer"),
    "identical": 0.5,
    "min_words": 2,
    "max_words": 6,
    "min_chars": 4,
    "max_chars": 40,
    "max_length_ratio": 5,
    "conflicts": "majority",
    "max_per_script": 1,
    "speaker_max": 4,
    "balance": "region",
    "sample": 20,
    "validation": 0.3,
    "max_chunk_bytes": 180,
    "system_prompt": "{region}",
}
BUILDS: dict[str, dict[str, Any]] = {
    "mended": {"region": _REGIONS, "speech_type": tuple(SpeechType), "split_by": tuple(SplitKey)},
    "strict": _STRICT,
    "markup-dropped": {
        "region": _REGIONS,
        "speech_type": tuple(SpeechType),
        "clean_rules": dict.fromkeys(NAMES, "drop"),
    },
    "markup-kept": {"region": _REGIONS, "speech_type": tuple(SpeechType), "clean": False},
    "official": {"region": _REGIONS, "validation": "official"},
}
REACHED: dict[str, set[DropReason]] = {
    "mended": {DropReason.PERSONAL_DATA, DropReason.UNCLEAR, DropReason.DUPLICATE, DropReason.SPLIT_CONFLICT},
    "strict": set(DropReason) - {DropReason.MARKUP, DropReason.NO_OFFICIAL_SPLIT},
    "markup-dropped": {DropReason.PERSONAL_DATA, DropReason.UNCLEAR, DropReason.MARKUP},
    "markup-kept": {DropReason.EMPTY_SOURCE, DropReason.DUPLICATE},
    "official": {DropReason.SPEECH_TYPE_EXCLUDED, DropReason.NO_OFFICIAL_SPLIT},
}

Pair = tuple[str, str]


class Corpus(NamedTuple):
    """A corpus, and the number of its label files of 2022, of its conversations of 2020, and of their sentences and utterances."""

    folder: Path
    recordings: int
    conversations: int
    utterances: int


def _pair(rng: random.Random) -> Pair:
    words = [f"{a}{b}" for a in "가나다" for b in "는도를"]
    text = " ".join(rng.choices(words, k=rng.choice([1, 2, 2, 2, 3, 7])))
    long = ["맞 " + "맞" * 20, "ᆞ " + "ᆞ" * 30, "ᆞ " + "ᆞ" * 45]
    return rng.choice([text, text, "", "네"]), rng.choice([text, f"{text} 요", f"{text} 네", "두 말", "", *long])


def _recording(rng: random.Random, number: int, pairs: list[Pair]) -> tuple[str, Member]:
    """Return a label file of 2022, and the archive it belongs to."""
    kind, archive = rng.choice([("st", REPEAT_ZIP), ("say", ANSWER_ZIP), ("say", ANSWER_ZIP), ("talk", DIALOGUE_ZIP)])
    speakers = "+".join(map(str, rng.sample(range(1, 9), 2 if kind == "talk" else 1)))
    code = rng.choice(["gs", "gs", "jj", "cc"])
    name = stem(kind, speakers, rng.randrange(1, 5), code=code).removesuffix("8") + str(number)
    return archive, member(name, "", "", province=code, transcription=sentences(*pairs))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Corpus:
    """That corpus: a third of it by default."""
    rng = random.Random(4)
    folder, total = tmp_path_factory.mktemp("reasons") / "corpus", 0
    archives: dict[str, list[Member]] = {}
    files = 700 if pytestconfig.getoption("--thorough") else 200
    for number in range(files):
        pairs = [_pair(rng) for _ in range(rng.randrange(1, 4))]
        marked = _MARKED[number % len(_MARKED)]
        pairs.append((marked, f"{marked} 요"))
        total += len(pairs)
        archive, recorded = _recording(rng, number, pairs)
        origin = rng.choice(["TL", "TL", "VL", "추가"])  # the last tells no split
        archives.setdefault(archive.replace("TL", origin).replace("경상도", ""), []).append(recorded)
    for name, members in archives.items():
        write_zip(folder / name, members)
    talks = []
    for number in range(20 if files == 700 else 6):
        utterances = [(text, f"{text} 요", str(rng.randrange(2))) for text in _MARKED]
        total += len(utterances)
        talks.append(conversation(f"DKSR2000{number:04}", *utterances, (None, None, None)))
    write_zip(folder / CONVERSATION_ZIP, talks)
    return Corpus(folder, files, len(talks), total + len(talks))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stage of that corpus, filled by the first build with it."""
    return tmp_path_factory.mktemp("reasons") / "stage"


@pytest.mark.parametrize("name", BUILDS)
def test_sums_balance(corpus: Corpus, stage: Path, tmp_path: Path, name: str) -> None:
    """Every utterance is an example or dropped for one reason, shard by shard and in total, and the reasons meant occur."""
    options = BuildOptions(**{"unit": "sentence", "max_unknown": 1.0, **BUILDS[name]})
    build([corpus.folder], tmp_path / "out", options, stage=stage, make_executor=one_thread)
    manifest = manifest_of(tmp_path / "out")
    counts, shards = manifest["counts"], manifest["shards"]
    assert set(counts["dropped"]) >= REACHED[name]
    assert counts["generations"] == {"2020": corpus.conversations, "2022": corpus.recordings}
    assert counts["utterances"] == corpus.utterances == counts["examples"] + sum(counts["dropped"].values())
    assert counts["examples"] == len(lines_of(tmp_path / "out")) == sum(shard["examples"] for shard in shards) > 0
    for shard in shards:
        assert shard["utterances"] == shard["examples"] + sum(shard["dropped"].values())
    dropped: Counter[str] = Counter()
    for row in (*shards, *manifest["unsharded"]):
        dropped.update(row["dropped"])
    assert dropped == counts["dropped"]


def test_no_reason_is_left_out() -> None:
    """The builds above reach every reason there is."""
    assert set().union(*REACHED.values()) == set(DropReason)
