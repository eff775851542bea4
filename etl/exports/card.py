"""The card of a dataset: what is in it, whose it is, and what may be done with it."""

from collections.abc import Sequence

from saturi.schemas.manifest import Manifest, ShardRow
from saturi.schemas.terms import Direction, Split

_TITLES = {
    Direction.TO_STANDARD: "Korean dialect to standard Korean",
    Direction.TO_DIALECT: "Standard Korean to Korean dialect",
}
_NAMES = {"2022": "중·노년층 한국어 방언 데이터", "2020": "한국어 방언 발화"}
_NUMBERS = {"2022": "71517, 71558", "2020": "118 to 122"}
"""AI-Hub's data sets, by the generation of label files."""

_TERMS = """\
## Licence and source

The texts are from AI-Hub's data sets {sets} of the National Information Society Agency
(한국지능정보사회진흥원, NIA). **They may not leave Korea, nor be given or shown to anybody else, without NIA's agreement:** do not
put this folder on a public hub. Whoever finds personal data in it reports that to AI-Hub and deletes the download. A work made
from it names its source, such as:

"""

_SOURCE = """\
> 이 연구는 과학기술정보통신부의 재원으로 한국지능정보사회진흥원의 지원을 받아 구축된 {names}을(를)
> 활용하여 수행된 연구입니다. 본 연구에 활용된 데이터는 AI 허브(aihub.or.kr)에서 다운로드 받으실 수 있습니다.
"""


def dataset_card(manifest: Manifest, manifest_sha256: str, front: str, usage: str) -> str:
    """
    Return the card of a build, in Markdown.

    Args:
        manifest: What is in it.
        manifest_sha256: Names the build.
        front: YAML in front of the text, for the Hugging Face Hub's tools; empty for none.
        usage: How to train on it.
    """
    options = manifest.options
    instruction = "an instruction, " if options["system_prompt"] or options["paraphrase"] else ""
    return f"""\
{front}# {_TITLES[Direction(options["direction"])]}

Pairs of a text in dialect (its {options["source"]}) and the same in standard Korean, as conversations: {instruction}the source
text, the target text. One {options["unit"]} is one example. Made by saturi from AI-Hub's label archives.

The build is that whose manifest.json has SHA-256 `{manifest_sha256}`.

{usage}
## Contents

{counts_table(manifest)}
{_TERMS.format(sets=data_sets(manifest))}{source_notice(manifest)}"""


def counts_table(manifest: Manifest) -> str:
    """Return the examples by shard and split, as a table in Markdown."""
    shards = [shard for shard in manifest.shards if shard.examples]
    return f"""\
| split | region | speech type | examples | bytes | tokens (o200k_base) |
|---|---|---|---|---|---|
{"".join(map(_row, shards))}{"".join(_total(split, shards) for split in Split)}"""


def data_sets(manifest: Manifest) -> str:
    """Return names and numbers of the data sets that label files were decoded from."""
    return ", ".join(f"「{_NAMES[generation]}」 ({_NUMBERS[generation]})" for generation in _generations(manifest))


def source_notice(manifest: Manifest) -> str:
    """Return how a work made from the data sets names its source, as AI-Hub wants it."""
    return _SOURCE.format(names=", ".join(f'"{_NAMES[generation]}"' for generation in _generations(manifest)))


def _generations(manifest: Manifest) -> list[str]:
    return [generation for generation in _NAMES if manifest.counts.generations.get(generation)]


def _row(shard: ShardRow) -> str:
    tokens = "not counted" if shard.tokens is None else f"{shard.tokens:,}"
    return (
        f"| {shard.split} | {shard.region} | {shard.speech_type} | {shard.examples:,} | {shard.bytes:,} | {tokens} |\n"
    )


def _total(split: Split, shards: Sequence[ShardRow]) -> str:
    of = [shard for shard in shards if shard.split == split]
    if not of:
        return ""
    counted = [shard.tokens for shard in of if shard.tokens is not None]
    tokens = f"{sum(counted):,}" if len(counted) == len(of) else "not counted"
    examples, size = sum(shard.examples for shard in of), sum(shard.bytes for shard in of)
    return f"| **{split}** | | | **{examples:,}** | **{size:,}** | **{tokens}** |\n"
