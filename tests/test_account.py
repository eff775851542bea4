"""The account: every label file and every utterance of any corpus is in exactly one place."""

import tempfile
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, Member, member, write_zip
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from runs import counts_of, lines_of, manifest_of, one_thread, rejects_of

from saturi.etl.errors import PromiseError
from saturi.etl.pipeline.build import build
from saturi.etl.pipeline.sums import check_sum
from saturi.etl.settings.options import BuildOptions

_TEXTS = st.sampled_from(["가", "가", "나다 라", " ", "", None, "x" * 400])
_KINDS = st.sampled_from(
    ["say_set1_collector{0}1_speaker{0}{1}_{2}_0_8", "st_set1_collector{0}1_speaker{0}{1}_{2}_8", "{0}-{1}-{2}"]
)
_WHOLE = st.builds(
    lambda kind, code, speaker, prompt, source, target: member(kind.format(code, speaker, prompt), source, target),
    _KINDS, st.sampled_from(["gs", "jj", "un"]), st.integers(0, 3), st.integers(0, 3), _TEXTS, _TEXTS,
)  # fmt: skip
_BROKEN = st.tuples(st.sampled_from(["a.json", "b.txt", "__MACOSX/._c.json"]), st.binary(max_size=20))
_OPTIONS = st.builds(
    BuildOptions,
    unit=st.sampled_from(["file", "sentence"]),
    speech_type=st.sampled_from([("repeat",), ("answer", "repeat"), ("answer", "unknown")]),
    dedup=st.sampled_from(["pair", "source", "none"]),
    conflicts=st.sampled_from(["keep", "majority", "drop"]),
    identical=st.sampled_from(["keep", "drop", 0.5]),
    max_per_script=st.sampled_from([None, 1, 2]),
    speaker_max=st.sampled_from([None, 1, 3]),
    balance=st.sampled_from([None, "region", "speech_type:2"]),
    sample=st.sampled_from([None, 3]),
    sample_per_shard=st.sampled_from([None, 2]),
    shard_by=st.sampled_from(["region,speech_type", "region", "speech_type", "split"]),
    paraphrase=st.sampled_from([(), ("{region}",)]),
    direction=st.sampled_from(["to-standard", "to-dialect"]),
    validation=st.sampled_from([0.0, 0.3, 0.7, "official"]),
    max_chunk_bytes=st.sampled_from([500, 900, 5_000]),
)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")  # which real archives may hold, too
@examples(40)
@given(members=st.lists(st.one_of(_WHOLE, _BROKEN), min_size=1, max_size=25), options=_OPTIONS)
def test_every_sum_balances(members: list[Member], options: BuildOptions) -> None:
    """Whatever a corpus holds, decoded and rejected are its label files, and examples and drops its utterances."""
    label_files = [name for name, _ in members if name.endswith(".json") and not name.startswith("__MACOSX/")]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        write_zip(Path(folder, ANSWER_ZIP), [*members, member("say_set1_collectorgs1_speakergs9_9_0_8", "끝", "끝")])
        build([Path(folder, ANSWER_ZIP)], out, options, make_executor=one_thread)
        counts, manifest = counts_of(out), manifest_of(out)
        assert counts["label_files"] == len(label_files) + 1
        assert counts["decoded"] + len(rejects_of(out)) == counts["label_files"]
        assert sum(counts["rejected"].values()) == len(rejects_of(out))
        assert len(lines_of(out)) == counts["examples"]
        drops = [row["dropped"] for row in (*manifest["shards"], *manifest["unsharded"])]
        assert sum(sum(dropped.values()) for dropped in drops) == sum(counts["dropped"].values())
        assert counts["utterances"] == counts["examples"] + sum(counts["dropped"].values())
        assert all(0 < chunk["bytes"] <= options.max_chunk_bytes and chunk["examples"] for chunk in manifest["chunks"])


def test_a_sum_that_does_not_balance_is_an_error() -> None:
    """A sum that does not balance ends a build with exit code 4, and with both numbers."""
    check_sum("label files", 3, {"decoded": 2, "rejected": 1})
    with pytest.raises(PromiseError, match="label files do not add up: 3 is not 2 decoded \\+ 0 rejected") as caught:
        check_sum("label files", 3, {"decoded": 2, "rejected": 0})
    assert caught.value.exit_code == 4
