"""
The rules of selection as an oracle: plain loops over plain rows, in the order docs/build.md gives, without any of our own code.

What is hashed, and how, is part of the format, and so is written down here a second time.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from oracle import label_files

REGIONS = {"gw": "gangwon", "gs": "gyeongsang", "cc": "chungcheong", "jl": "jeolla", "jj": "jeju"}
SPEECH_TYPES = {"st": "repeat", "say": "answer", "talk": "dialogue"}
_MASK = 2**64 - 1


class Row:
    """An utterance, and what becomes of it: a reason, or none; a side, or none."""

    def __init__(self, place: int, archive: str, member: str, sentence: int | None, source: str, target: str) -> None:
        self.place, self.archive, self.member, self.sentence = place, archive, member, sentence
        self.source, self.target = source, target
        kind, script_set, _, *rest = member.rpartition("/")[2].removesuffix(".json").split("_")
        self.speakers = [part for part in rest if part.startswith("speaker")]
        prompt = rest[len(self.speakers)]
        self.region, self.speech_type = REGIONS[self.speakers[0][7:9]], SPEECH_TYPES[kind]
        self.script = f"{script_set.removeprefix('set')}:{prompt}" if kind == "st" else None
        self.split: str | None = None
        self.reason: str | None = None

    def places(self, options: dict[str, Any]) -> list[float]:
        """Return the places of the different keys of the split, from 0 to 1."""
        by = options["split_by"]
        keys = {f"speaker:{speaker}".casefold() for speaker in self.speakers if "speaker" in by}
        if self.script and "script" in by:
            keys.add(f"script:{self.region}:{self.script}")
        elif by == ["script"]:
            standard = self.target if options["direction"] == "to-standard" else self.source
            letters = "".join(filter(str.isalnum, standard.casefold()))
            keys |= {f"text:{blake2b(letters.encode(), digest_size=16).hexdigest()}"} if letters else set()
        return [_place_of(key) / 2**64 for key in keys]


def rows_of(corpus: Path, options: dict[str, Any]) -> list[Row]:
    """Return all utterances of *corpus*, whose label files are all whole, in canonical order."""
    rows: list[Row] = []
    for (archive, member), content in sorted(label_files(corpus), key=lambda item: item[0][0]):
        assert isinstance(content, bytes)
        transcription = json.loads(content)["transcription"]
        units = [(None, transcription)] if options["unit"] == "file" else enumerate(transcription["sentences"], 1)
        for number, one in units:
            texts = [one["pronunciation"] or "", one["standard"] or ""]
            if options["direction"] == "to-dialect":
                texts.reverse()
            rows.append(Row(len(rows), archive, member, number, *texts))
    return rows


def select(corpus: Path, options: dict[str, Any]) -> list[Row]:
    """Return all utterances of *corpus* with what becomes of each under *options*, which are those of a manifest."""
    rows = rows_of(corpus, options)
    _judge(rows, options)
    for shard in _by(rows, lambda row: _shard(row, options)).values():
        _compare(shard, options)
    if "script" in options["split_by"]:
        _drop_in_training(rows)
    for shard in _by(rows, lambda row: _shard(row, options)).values():
        _cap(shard, lambda row: [row.script] if row.script else [], options["max_per_script"], "over_script", options)
        _cap(shard, lambda row: row.speakers, options["speaker_max"], "over_speaker", options)
    _take_shares(rows, options)
    return rows


def line_of(row: Row, options: dict[str, Any]) -> bytes:
    """Return the line of an example."""
    prompts = [options["system_prompt"], *options["paraphrase"]]
    prompt = prompts[_number(row, options) % len(prompts)]
    names = {"gangwon": "강원도", "gyeongsang": "경상도", "chungcheong": "충청도", "jeolla": "전라도", "jeju": "제주도"}
    kinds = {"repeat": "따라 말하기", "answer": "질문에 답하기", "dialogue": "대화"}
    prompt = prompt.replace("{region}", names[row.region]).replace("{speech_type}", kinds[row.speech_type])
    prompt = prompt.replace("{{", "{").replace("}}", "}")
    contents = {"system": prompt, "user": row.source, "assistant": row.target}
    messages = [{"role": role, "content": text} for role, text in contents.items() if role != "system" or text]
    return json.dumps({"messages": messages}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _judge(rows: Iterable[Row], options: dict[str, Any]) -> None:
    for row in rows:
        if row.region not in options["region"]:
            row.reason = "region_excluded"
            continue
        if row.speech_type not in options["speech_type"]:
            row.reason = "speech_type_excluded"
            continue
        row.split = _split(row.places(options), options)
        row.reason = next((reason for reason, fails in _failures(row, options) if fails), None)
    if options["min_validation"]:
        for group in _by(rows, lambda row: (row.region, row.speech_type)).values():
            _hold_out_least([row for row in group if "excluded" not in (row.reason or "")], options)


def _split(places: list[float], options: dict[str, Any]) -> str | None:
    share, by, kinds = options["validation"], options["split_by"], options["speech_type"]
    two_keys = "speaker" in by and ("dialogue" in kinds or ("repeat" in kinds and "script" in by))
    odds = share / (1 - share)
    held_out = odds**0.5 / (1 + odds**0.5) if two_keys else share
    if all(place >= held_out for place in places):
        return "train"
    if len(places) == 1 and two_keys:
        return "validation" if places[0] < odds * (1 - held_out) else None
    return "validation" if all(place < held_out for place in places) else None


def _hold_out_least(rows: list[Row], options: dict[str, Any]) -> None:
    seen, counted = set(), []
    for row in rows:
        identity = {"pair": (row.source, row.target), "source": row.source, "none": row.place}[options["dedup"]]
        if row.reason is None and identity not in seen:
            seen.add(identity)
            counted.append(row)
    places = sorted(place for row in counted for place in row.places(options))
    bound = options["validation"]
    for place in dict.fromkeys(places):
        below = sum(other <= place for other in places)
        if below > len(counted) // 2:
            break
        bound = max(options["validation"], math.ceil((place * 2**64 + 1) / 2**44) / 2**20)
        if below >= options["min_validation"]:
            break
    for row in rows:
        row.split = "validation" if any(place < bound for place in row.places(options)) else row.split


def _failures(row: Row, options: dict[str, Any]) -> Iterable[tuple[str, bool]]:
    source, target = row.source.strip(), row.target.strip()
    yield "empty_source", not source
    yield "empty_target", not target
    kept_share = {"keep": 1.0, "drop": 0.0}.get(options["identical"], options["identical"])
    yield "identical", source == target and _order(row, "identical", options) >= kept_share * 2**64
    words, chars = [len(source.split()), len(target.split())], [len(source), len(target)]
    yield "too_few_words", min(words) < (options["min_words"] or 0)
    yield "too_many_words", max(words) > (options["max_words"] or 10**9)
    yield "too_few_chars", min(chars) < (options["min_chars"] or 0)
    yield "too_many_chars", max(chars) > (options["max_chars"] or 10**9)
    yield "length_ratio", max(chars) > (options["max_length_ratio"] or 10**9) * min(chars)
    yield "over_cap", len(line_of(row, options)) > options["max_chunk_bytes"]
    yield "split_conflict", row.split is None


def _compare(shard: list[Row], options: dict[str, Any]) -> None:
    for rows in _by(_kept(shard), lambda row: row.source).values():
        votes = Counter(row.target for row in rows)
        if options["conflicts"] == "keep" or len(votes) == 1:
            continue
        most = max(votes.values())
        winner = next(row.target for row in rows if votes[row.target] == most)
        for row in rows:
            if options["conflicts"] == "drop" or row.target != winner:
                row.reason = "several_targets"
    if options["dedup"] != "none":
        seen: set[tuple[str, ...]] = set()
        for row in _kept(shard):
            identity = (row.source,) if options["dedup"] == "source" else (row.source, row.target)
            if identity in seen:
                row.reason = "duplicate"
            seen.add(identity)


def _drop_in_training(rows: Iterable[Row]) -> None:
    kept = _kept(rows)
    train = {_letters(text) for row in kept if row.split == "train" for text in (row.source, row.target)}
    for row in kept:
        if row.split == "validation" and not train.isdisjoint(map(_letters, (row.source, row.target))):
            row.reason = "in_training"


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower())) or text


def _cap(
    shard: list[Row], keys: Callable[[Row], list[str]], most: int | None, reason: str, options: dict[str, Any]
) -> None:
    if most is None:
        return
    ranked: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in sorted(_kept(shard), key=lambda row: (_order(row, reason, options), row.place)):
        for key in set(keys(row)):
            ranked[row.region if row.script and reason == "over_script" else "", key].append(row)
    for rows in ranked.values():
        for row in rows[most:]:
            row.reason = reason


class _Stratum(NamedTuple):
    split: str
    region: str
    speech_type: str


def _take_shares(rows: Iterable[Row], options: dict[str, Any]) -> None:
    strata = _by(_kept(rows), lambda row: _Stratum(row.split or "", row.region, row.speech_type))
    # In the order in which remainders of the same size are given away: sections, their groups, train before validation.
    counts = {s: len(strata[s]) for s in sorted(strata, key=lambda s: (_section(s, options), _place(s)))}
    balanced = _balanced(counts, options["balance"]) if options["balance"] else counts
    sampled = balanced
    if options["sample_per_shard"]:
        most = options["sample_per_shard"]
        sampled = _at_most(sampled, lambda s: (s.split, _section(s, options)), lambda _: most)
    if options["sample"]:
        sampled = _at_most(sampled, lambda _: "all", lambda _: int(options["sample"]))
    for stratum, members in strata.items():
        members.sort(key=lambda row: (_order(row, "not_sampled", options), row.place))
        for rank, row in enumerate(members):
            if rank >= balanced[stratum]:
                row.reason = "over_balance"
            elif rank >= sampled[stratum]:
                row.reason = "not_sampled"


def _balanced(counts: dict[_Stratum, int], balance: str) -> dict[_Stratum, int]:
    field, _, most = balance.partition(":")
    sums: Counter[tuple[str, str]] = Counter()
    for stratum, count in counts.items():
        sums[stratum.split, getattr(stratum, field)] += count

    def cap(name: tuple[str, str]) -> int:
        return int(most) if most else min(n for (split, _), n in sums.items() if split == name[0])

    return _at_most(counts, lambda s: (s.split, getattr(s, field)), cap)


def _at_most(
    counts: dict[_Stratum, int], name: Callable[[_Stratum], Any], cap: Callable[[Any], int]
) -> dict[_Stratum, int]:
    left = dict(counts)
    for one in {name(stratum) for stratum in counts}:
        strata = [stratum for stratum in counts if name(stratum) == one]
        whole, total = sum(counts[stratum] for stratum in strata), cap(one)
        if whole <= total:
            continue
        exact = {stratum: divmod(total * counts[stratum], whole) for stratum in strata}
        rest = total - sum(share for share, _ in exact.values())
        lucky = sorted(strata, key=lambda stratum, exact=exact: -exact[stratum][1])[:rest]  # type: ignore[misc]  # mypy infers no type for it
        left |= {stratum: exact[stratum][0] + (stratum in lucky) for stratum in strata}
    return left


def _place(stratum: _Stratum) -> tuple[str, str, str]:
    return stratum.region, stratum.speech_type, stratum.split


def _section(row: Any, options: dict[str, Any]) -> tuple[str, str]:
    region = row.region if "region" in options["shard_by"] else "all"
    return region, row.speech_type if "speech_type" in options["shard_by"] else "all"


def _shard(row: Row, options: dict[str, Any]) -> Hashable:
    return row.split, _section(row, options)


def shard_name(row: Row, options: dict[str, Any]) -> str:
    """Return the name of the shard of *row*, as in paths of chunks."""
    return f"{row.split}/{'-'.join(_section(row, options))}"


def in_shard_order(rows: Iterable[Row]) -> list[Row]:
    """Return *rows* as they follow one another in a shard: one region and speech type after the other."""
    return sorted(rows, key=lambda row: (row.region, row.speech_type, row.place))


def _by(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    """Return *rows* by *key*, in the order of a shard."""
    found: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in in_shard_order(rows):
        found[key(row)].append(row)
    return dict(found)


def _kept(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.reason is None and row.split is not None]


def _place_of(key: str) -> int:
    own = _hash(key.encode())
    series, number = key.rstrip("0123456789"), key[len(key.rstrip("0123456789")) :]
    if not key.startswith("script:") or not number:
        return own
    block, position = divmod(int(number), 20)
    neighbours = [_hash(f"{series}{block}+{other}".encode()) for other in range(20)]
    return (sum(other < neighbours[position] for other in neighbours) * 2**64 + own) // 20


def _hash(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big")


def _number(row: Row, options: dict[str, Any]) -> int:
    origin = row.member.rpartition("/")[2] + f"\n{row.sentence or ''}"
    identities = {"pair": [row.source, row.target], "source": [row.source], "none": [row.source, row.target, origin]}
    return _hash("\x1f".join(identities[options["dedup"]]).encode())


def _order(row: Row, rule: str, options: dict[str, Any]) -> int:
    number = _number(row, options) ^ _hash(rule.encode())
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        number = ((number ^ (number >> shift)) * factor) & _MASK
    return number ^ (number >> 31)
