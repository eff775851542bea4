"""Decoding a label file: what is read, what is mended, what is refused and where, and that a refusal quotes nothing."""

import json
from typing import Any

import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.corpus.archive import Defect
from saturi.etl.read.decode import Decoded, decode
from saturi.etl.read.glance import glance_at, without_f0
from saturi.schemas import label2020, label2022
from saturi.schemas.terms import RejectReason

_BOM = b"\xef\xbb\xbf"
_QUOTED = "hushhush"

_SPITEFUL = [
    '"',
    "\\",
    '\\"',
    "[",
    "]",
    "{",
    "}",
    ",",
    ",,",
    ", ]",
    ":",
    "intonations",
    '"intonations"',
    '"intonations": [1, 2',
    '], "sentences": [',
    ', "annotation": {',
]
_ODD = ["\n", "\t", "\0", "\u2028", "방언", "ᆞ", "🍊", "\ufeff"]
_FIELDS = {
    *("transcription", "sentences", "dialect", "pronunciation", "standard"),
    *("fileName", "speaker", "speakerId", "residenceProvince", "script", "scriptId", "speechType"),
}
_LAYOUTS: dict[str, dict[str, Any]] = {
    "tabs": {"indent": "\t"},
    "spaces": {"indent": 2},
    "one-line": {},
    "compact": {"separators": (",", ":")},
    "wide": {"separators": (" ,  ", " :\t")},
}

texts = st.text(max_size=12) | st.lists(st.sampled_from(_SPITEFUL + _ODD), max_size=6).map("".join)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
identifiers = st.none() | numbers | texts
pitches = st.lists(numbers, max_size=4)
_STEPPED_OVER = ["intonations", "segments", "annotation", 'x"intonations', "segments\\", 'x"annotation']
keys = (st.sampled_from(_STEPPED_OVER) | texts).filter(lambda key: key not in _FIELDS)
values = st.recursive(
    st.none() | st.booleans() | identifiers | pitches,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=5,
)
extras = st.dictionaries(keys, values, max_size=2) | st.dictionaries(
    st.sampled_from(_STEPPED_OVER),
    pitches | st.lists(st.dictionaries(keys, values, max_size=2), max_size=2),
    max_size=3,
)


def _join(first: bool, known: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    return {**extra, **known} if first else {**known, **extra}


def _object(
    required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the fields that are used, and others around them."""
    return st.builds(_join, st.booleans(), st.fixed_dictionaries(required, optional=optional), extras)


spellings = {name: st.none() | texts for name in ("dialect", "pronunciation", "standard")}
sentences = _object({}, speakerId=identifiers, **spellings)
transcriptions = _object({}, sentences=st.none() | st.lists(st.none() | sentences, max_size=3), **spellings)
labels = _object(
    {"transcription": transcriptions},
    fileName=identifiers,
    speaker=st.none()
    | st.lists(st.none() | _object({}, speakerId=identifiers, residenceProvince=identifiers), max_size=2),
    script=st.none() | _object({}, scriptId=identifiers, speechType=identifiers),
)


anything = st.recursive(
    st.none() | st.booleans() | identifiers,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(_FIELDS)) | keys, inner, max_size=3)
    ),
    max_leaves=8,
)
"""Any JSON, also with the names of fields that are used."""

tools = st.builds(
    lambda label, beside, annotation, stt: {**beside, **label, "annotation": annotation, "stt": stt},
    labels,
    st.just({"fileName": "a", "speaker": [], "script": {}}),
    st.dictionaries(keys, anything, max_size=3),
    st.dictionaries(keys, anything, max_size=2),
)
"""Label files as the annotators' tool has them: `annotation` and `stt` come last."""


def _spellings(part: dict[str, Any] | None) -> tuple[str | None, ...] | None:
    return None if part is None else (part.get("dialect"), part.get("pronunciation"), part.get("standard"))


def _texts_of(label: dict[str, Any]) -> Any:
    text = label["transcription"]
    return _spellings(text), [_spellings(sentence) for sentence in text.get("sentences") or []]


def _texts_in(decoded: Decoded | Defect) -> Any:
    assert isinstance(decoded, Decoded), decoded
    assert isinstance(decoded.label, label2022.LabelFile)
    text = decoded.label.transcription
    assert text is not None
    parts = [
        None if part is None else (part.dialect, part.pronunciation, part.standard) for part in text.sentences or []
    ]
    return (text.dialect, text.pronunciation, text.standard), parts


def _label(**transcription: Any) -> dict[str, Any]:
    """A label file as the annotators' tool writes it."""
    sentence = {
        "speakerId": "speakerjj9",
        "intonations": [180.2, 179.0, 0, 1e2],
        "dialect": "혼저, 옵서,, 예,] 게,}",
        "pronunciation": "혼저 옵서예",
        "standard": "어서 오세요",
        "sentenceId": 1,
    }
    whole = {
        "sentences": [sentence, {**sentence, "sentenceId": "2"}],
        "dialect": "혼저, ,] 옵서",
        "pronunciation": "",
        "standard": None,
    }
    return {
        "fileName": "say_set1_collectorjj3_speakerjj9_12_0_14",
        "speaker": [{"speakerId": "speakerjj9", "residenceProvince": "jj", "birthYear": 1958}],
        "script": {"scriptId": 12, "speechType": "Speak"},
        "audio": {"channel": "Mono", "records": [], "times": [0, 1]},
        "transcription": {"segments": [{"orderInFile": 1.0, "endTime": None}], **whole, **transcription},
        "annotation": {"intonations": [], "transcriptionAnnotations": [], "intents": []},
        "stt": {"recognizer": "naver", "segments": []},
    }


def _document(label: dict[str, Any]) -> bytes:
    return json.dumps(label, ensure_ascii=False, indent="\t").encode()


_CLEAN = _document(_label())


@given(labels | tools, st.sampled_from(list(_LAYOUTS)), st.booleans())
@examples(300)
def test_texts_are_those_json_finds(label: dict[str, Any], layout: str, ascii_only: bool) -> None:
    """A valid document in any layout gives the texts that `json.loads` gives, whatever is stepped over in it."""
    document = json.dumps(label, ensure_ascii=ascii_only, **_LAYOUTS[layout]).encode()
    decoded = decode(document)
    whole, sentences = _texts_of(json.loads(document))
    if not sentences and not any(text and not text.isspace() for text in whole):
        assert isinstance(decoded, Defect)
        assert decoded.reason is RejectReason.EMPTY_LABEL
        return
    assert _texts_in(decoded) == (whole, sentences)
    assert isinstance(decoded, Decoded)
    assert not decoded.repaired


@given(labels, st.sampled_from(list(_LAYOUTS)))
@examples(100)
def test_stepping_over_f0_changes_nothing_else(label: dict[str, Any], layout: str) -> None:
    """Stepping over `intonations` keeps the document valid and everything in it but lists of plain values."""

    def without_pitches(value: Any) -> Any:
        if isinstance(value, dict):
            # A key that only ends like the one looked for is taken for it, which does no harm.
            return {key: [] if is_pitches(key, inner) else without_pitches(inner) for key, inner in value.items()}
        return [without_pitches(inner) for inner in value] if isinstance(value, list) else value

    def is_pitches(key: str, value: Any) -> bool:
        return key.endswith("intonations") and isinstance(value, list)

    document = json.dumps(label, ensure_ascii=False, **_LAYOUTS[layout]).encode()
    assert without_pitches(json.loads(without_f0(document))) == without_pitches(label)


@pytest.mark.parametrize("text", ["transcription", "utterance"])
def test_sentences_that_hold_nothing(text: str) -> None:
    """A document of more than a thousand sentences has forty bytes for each, or is too large."""

    def document(count: int, padding: int) -> bytes:
        sentences = b",".join([b"{}"] * count)
        body = b'{"transcription": {"sentences": [%s]}' if text == "transcription" else b'{"utterance": [%s]'
        return body % sentences + b" " * padding + b"}"

    assert isinstance(decode(document(1000, 0)), Decoded)
    assert isinstance(decode(document(1001, 40 * 1001)), Decoded)
    outcome = decode(document(1001, 0))
    assert isinstance(outcome, Defect)
    assert outcome.reason is RejectReason.TOO_LARGE
    assert outcome.detail == f"1001 sentences in {len(document(1001, 0))} bytes"


@pytest.mark.parametrize(("before", "after"), [(b"", b""), (_BOM, b""), (b"", b"\0\0"), (_BOM, b"\0")])
def test_f0_is_stepped_over_in_a_frame(before: bytes, after: bytes) -> None:
    """A byte order mark and NULs at the end change nothing: what F0 arrays hold is not looked at, and nothing is mended."""
    document = before + b'{"intonations": [no, numbers], "transcription": {"standard": "a"}}' + after
    assert decode(document) == Decoded(_label_of("a"), repaired=False)


@pytest.mark.parametrize(
    ("clean", "odd"),
    [
        pytest.param('"transcriptionAnnotations": []', ',"transcriptionAnnotations": [1,]', id="commas"),
        pytest.param('"intents": []', '"intents": NaN', id="NaN"),
        pytest.param('"intents": []', '"intents": "a\nb"', id="line-end"),
        pytest.param('"endTime": null', '"endTime": Infinity,', id="segment"),
        pytest.param("100.0\n", "100.0,\n", id="F0"),
        pytest.param('"recognizer": "naver"', '"recognizer": "\\ud800", "transcription": 7', id="odd-text"),
        pytest.param('"recognizer": "naver"', '"recognizer": "\udcff"', id="no-UTF-8"),
    ],
)
def test_what_is_stepped_over_is_not_looked_at(clean: str, odd: str) -> None:
    """Whatever stands in `segments`, `intonations`, `annotation` and `stt` costs no text, and is no repair."""
    document = _CLEAN.decode().replace(clean, odd).encode("utf-8", "surrogateescape")
    assert document != _CLEAN
    assert decode(document) == decode(_CLEAN)


def test_little_is_left_to_parse() -> None:
    """Of a label file as the annotators' tool writes it, arrays that are not read are emptied and the end is left out."""
    label = _label()
    label["transcription"]["segments"] = []
    for sentence in label["transcription"]["sentences"]:
        sentence["intonations"] = []
    del label["annotation"], label["stt"]
    glance = glance_at(_CLEAN)
    assert glance.cut
    assert json.loads(glance.document) == label


@pytest.mark.parametrize("missing", ["fileName", "speaker", "script"])
def test_fields_behind_the_annotation_are_read(missing: str) -> None:
    """A field that is used is read wherever it stands, also behind `annotation`."""
    label = _label()
    behind = {key: value for key, value in label.items() if key != missing} | {missing: label[missing]}
    assert decode(_document(behind)) == decode(_CLEAN)


def _label_of(standard: str) -> label2022.LabelFile:
    return label2022.LabelFile(label2022.Transcription(standard=standard))


@given(st.binary(max_size=200))
@examples(200)
def test_any_bytes_are_decoded_or_refused(document: bytes) -> None:
    """No bytes whatever make the decoder raise."""
    assert isinstance(decode(document), Decoded | Defect)


@given(
    st.lists(st.tuples(st.integers(0, len(_CLEAN) - 1), st.binary(max_size=2)), min_size=1, max_size=4), st.booleans()
)
@examples(200)
def test_damaged_documents_are_decoded_or_refused(edits: list[tuple[int, bytes]], bom: bool) -> None:
    """A label file damaged anywhere is decoded or refused with a position inside it."""
    damaged = bytearray(_CLEAN)
    for at, new in edits:
        damaged[at : at + 1] = new
    document = (_BOM if bom else b"") + bytes(damaged)
    outcome = decode(document)
    if isinstance(outcome, Defect) and outcome.position is not None:
        assert 0 <= outcome.position <= len(document)


secrets = st.sampled_from([_QUOTED, f"{_QUOTED} 비밀", f'"{_QUOTED}"'])
leaves = st.none() | st.booleans() | numbers | secrets
any_json = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(_FIELDS)) | secrets, inner, max_size=5)
    ),
    max_leaves=12,
)


@given(any_json, st.integers(0, 400), st.binary(max_size=1))
@examples(200)
def test_refusals_hold_no_text_of_the_document(document: Any, at: int, new: bytes) -> None:
    """Whatever is wrong with a document, the detail of its defect quotes nothing from it."""
    whole = json.dumps(document, ensure_ascii=False).encode()
    for content in (whole, whole[:at] + new + whole[at + 1 :]):
        outcome = decode(content)
        if isinstance(outcome, Defect):
            assert _QUOTED not in outcome.detail
            assert outcome.detail.isascii()


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(_BOM + _CLEAN, id="byte-order-mark"),
        pytest.param(_CLEAN + b"\0", id="one-NUL"),
        pytest.param(_CLEAN + b"\0" * 512, id="many-NULs"),
        pytest.param(_CLEAN + b"\r\n\0\0\n", id="NULs-and-line-ends"),
        pytest.param(_BOM + _CLEAN + b"\0\0", id="both"),
        pytest.param(b" \r\n" + _CLEAN + b"\n\n", id="white-space-around"),
        pytest.param(_CLEAN.replace(b"\n", b"\r\n"), id="windows-line-ends"),
    ],
)
def test_marks_around_a_document_are_nothing(document: bytes) -> None:
    """A byte order mark, NULs at the end and white space around it do not change a document, and are no repair."""
    decoded = decode(document)
    assert _texts_in(decoded) == _texts_of(_label())
    assert isinstance(decoded, Decoded)
    assert not decoded.repaired


@pytest.mark.parametrize(
    ("clean", "broken"),
    [
        pytest.param('[],\n\t\t"times"', '[],,"times"', id="doubled"),
        pytest.param('[],\n\t\t"times"', '[], ,\n,\t"times"', id="tripled-with-spaces"),
        pytest.param('"residenceProvince": "jj",', '"residenceProvince": "jj",,', id="doubled-between-fields"),
        pytest.param('"scriptId": 12', '"scriptId": 12,', id="at-the-end-of-an-object"),
        pytest.param('"records": []', '"records": [1,]', id="at-the-end-of-an-array"),
        pytest.param('"sentenceId": 1', '"sentenceId": 1,,', id="doubled-at-an-end"),
    ],
)
@pytest.mark.parametrize("bom", [pytest.param(b"", id="plain"), pytest.param(_BOM, id="bom")])
def test_loose_commas_are_mended(clean: str, broken: str, bom: bytes) -> None:
    """A comma doubled or before a closing bracket is mended and counted, and commas in texts stay as they are."""
    document = _CLEAN.decode().replace(clean, broken).encode()
    assert document != _CLEAN
    decoded = decode(bom + document)
    assert _texts_in(decoded) == _texts_of(_label())
    assert isinstance(decoded, Decoded)
    assert decoded.repaired


_WRONG: list[Any] = [
    pytest.param(b'{"transcription": {"standard": ^x}}', RejectReason.INVALID_JSON, id="bare-word"),
    pytest.param(
        b'{"intonations": [1, 2], "transcription": {"standard": ^x}}', RejectReason.INVALID_JSON, id="behind-F0"
    ),
    pytest.param(b"{^'transcription': {}}", RejectReason.INVALID_JSON, id="single-quotes"),
    pytest.param(b'{"annotation": [^,1], "transcription": {}}', RejectReason.INVALID_JSON, id="leading-comma"),
    pytest.param(b'{"annotation": [1 ^2], "transcription": {}}', RejectReason.INVALID_JSON, id="missing-comma"),
    pytest.param(b'{"transcription": {}} ^x', RejectReason.INVALID_JSON, id="something-behind"),
    pytest.param(b'{"transcription": {"standard": "\xea\xb0\x80^\xff"}}', RejectReason.INVALID_UTF8, id="used-field"),
    pytest.param(b'{"annotation": ["^\xff"], "transcription": {}}', RejectReason.INVALID_UTF8, id="skipped-field"),
    pytest.param(b'{"^\xffx": 1, "transcription": {}}', RejectReason.INVALID_UTF8, id="skipped-key"),
    pytest.param(b'{"intonations": [1, ^\xff2], "transcription": {}}', RejectReason.INVALID_UTF8, id="F0-array"),
    pytest.param(
        b'{"intonations": [1], "transcription": {"standard": "^\xea\xb0"}}',
        RejectReason.INVALID_UTF8,
        id="half-a-syllable",
    ),
    pytest.param(b"^[]", RejectReason.WRONG_TOP_LEVEL, id="array"),
    pytest.param(b'^"transcription"', RejectReason.WRONG_TOP_LEVEL, id="string"),
    pytest.param(b"^7", RejectReason.WRONG_TOP_LEVEL, id="number"),
    pytest.param(b"^null", RejectReason.WRONG_TOP_LEVEL, id="null"),
]


@pytest.mark.parametrize(("marked", "reason"), _WRONG)
@pytest.mark.parametrize("bom", [pytest.param(b"", id="plain"), pytest.param(_BOM, id="bom")])
def test_positions_point_at_the_fault(marked: bytes, reason: RejectReason, bom: bytes) -> None:
    """A defect that has a place names the byte of the file, its byte order mark and its F0 arrays included."""
    document = bom + marked
    position = document.index(b"^")
    outcome = decode(document.replace(b"^", b""))
    assert isinstance(outcome, Defect)
    assert (outcome.reason, outcome.position) == (reason, position)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(b"", RejectReason.INVALID_JSON, id="empty"),
        pytest.param(_BOM, RejectReason.INVALID_JSON, id="only-a-mark"),
        pytest.param(b"\0\0\0\0", RejectReason.INVALID_JSON, id="only-NULs"),
        pytest.param(b'{"transcription": {}', RejectReason.INVALID_JSON, id="cut-off"),
        pytest.param(
            b'{"transcription": {"standard": "\\ud800"}}', RejectReason.INVALID_JSON, id="half-a-surrogate-pair"
        ),
        pytest.param(b"{}", RejectReason.MISSING_TRANSCRIPTION, id="empty-object"),
        pytest.param(b'{"transcription": null}', RejectReason.MISSING_TRANSCRIPTION, id="null-transcription"),
        pytest.param(b'{"transcription": null,}', RejectReason.MISSING_TRANSCRIPTION, id="null-transcription-mended"),
        pytest.param(b'{"utterance": null}', RejectReason.MISSING_TRANSCRIPTION, id="null-utterance"),
        pytest.param(b'{"a": "utterance"}', RejectReason.MISSING_TRANSCRIPTION, id="utterance-for-text"),
        pytest.param(
            b'{"a": "transcription", "b": "utterance"}', RejectReason.MISSING_TRANSCRIPTION, id="both-for-texts"
        ),
        pytest.param(b'{"utterance": {}}', RejectReason.WRONG_TYPE, id="object-for-utterances"),
        pytest.param(b'{"utterance": ["x"]}', RejectReason.WRONG_TYPE, id="text-for-an-utterance"),
        pytest.param(
            b'{"utterance": [{"dialect_form": 7}]}', RejectReason.TEXT_NOT_STRING, id="number-for-dialect-form"
        ),
        pytest.param(
            b'{"utterance": [{}, {"standard_form": [],}]}',
            RejectReason.TEXT_NOT_STRING,
            id="list-for-standard-form-mended",
        ),
        pytest.param(b'{"transcription": {"standard": 7}}', RejectReason.TEXT_NOT_STRING, id="number-for-file-text"),
        pytest.param(b'{"transcription": {"dialect": ["x"]}}', RejectReason.TEXT_NOT_STRING, id="list-for-file-text"),
        pytest.param(
            b'{"transcription": {"sentences": [{"standard": 7}]}}',
            RejectReason.TEXT_NOT_STRING,
            id="number-for-sentence",
        ),
        pytest.param(
            b'{"transcription": {"sentences": [{}, {"pronunciation": {}}]}}',
            RejectReason.TEXT_NOT_STRING,
            id="object-for-sentence",
        ),
        pytest.param(
            b'{"transcription": {"standard": true,}}', RejectReason.TEXT_NOT_STRING, id="truth-for-text-mended"
        ),
        pytest.param(b'{"transcription": []}', RejectReason.WRONG_TYPE, id="list-for-transcription"),
        pytest.param(b'{"transcription": {"sentences": {}}}', RejectReason.WRONG_TYPE, id="object-for-sentences"),
        pytest.param(b'{"transcription": {"sentences": [7]}}', RejectReason.WRONG_TYPE, id="number-for-a-sentence"),
        pytest.param(b'{"transcription": {}}', RejectReason.EMPTY_LABEL, id="nothing-in-it"),
        pytest.param(b'{"transcription": {"sentences": [], "standard": " "}}', RejectReason.EMPTY_LABEL, id="blank"),
        pytest.param(b'{"transcription": {"sentences": null,}}', RejectReason.EMPTY_LABEL, id="null-sentences-mended"),
        pytest.param(b'{"utterance": []}', RejectReason.EMPTY_LABEL, id="no-utterance"),
        pytest.param(b'{"utterance": [{}], "utterance": []}', RejectReason.EMPTY_LABEL, id="second-without-utterance"),
        pytest.param(b'{"transcription": {}, "utterance": []}', RejectReason.EMPTY_LABEL, id="both-empty"),
        pytest.param(b'{"transcription": null, "utterance": []}', RejectReason.EMPTY_LABEL, id="one-empty"),
        pytest.param(b'{"transcription": {}, "utterance": null}', RejectReason.EMPTY_LABEL, id="the-other-empty"),
        pytest.param(b'{"transcription": {"standard": NaN}}', RejectReason.TEXT_NOT_STRING, id="NaN-for-text"),
        pytest.param(b'{"transcription": {"sentences": NaN}}', RejectReason.WRONG_TYPE, id="NaN-for-sentences"),
        pytest.param(b'{"transcription": {}, "n": nan}', RejectReason.INVALID_JSON, id="nan-in-small-letters"),
        pytest.param(
            b'{"speaker": {}, "transcription": {"standard": 7}}', RejectReason.TEXT_NOT_STRING, id="odd-and-no-text"
        ),
        pytest.param(b'{"speaker": {}, "transcription": []}', RejectReason.WRONG_TYPE, id="odd-and-a-list"),
        pytest.param(b'{"speaker": {}, "transcription": {}}', RejectReason.EMPTY_LABEL, id="odd-and-empty"),
        pytest.param(b'{"speaker": {}}', RejectReason.MISSING_TRANSCRIPTION, id="odd-and-nothing"),
    ],
)
def test_reasons_are_exact(document: bytes, reason: RejectReason) -> None:
    """Each fault has its reason, also where a comma was mended before it showed."""
    outcome = decode(document)
    assert isinstance(outcome, Defect)
    assert outcome.reason is reason


_ODD_2022: dict[str, tuple[str, list[Any], Any]] = {
    "object-for-speakers": ('"speaker": {"speakerId": "a"}', ["a"], None),
    "text-for-speakers": ('"speaker": "a"', ["a"], None),
    "texts-for-speakers": ('"speaker": ["a", 7, null, true, []]', ["a", 7], None),
    "number-for-speakers": ('"speaker": 7', [7], None),
    "object-for-an-id": ('"speaker": [{"speakerId": {}}, {"speakerId": "b"}]', [None, "b"], None),
    "odd-province": ('"speaker": [{"speakerId": "a", "residenceProvince": ["gs"]}]', ["a"], None),
    "false-for-speakers": ('"speaker": false', [], None),
    "large-speakers": (f'"speaker": ["{"a" * 70_000}"]', [], None),
    "list-for-script": ('"script": [{"scriptId": 7}]', [], 7),
    "text-for-script": ('"script": "대본"', [], None),
    "truth-for-number": ('"script": {"scriptId": true}', [], None),
    "list-for-name": ('"fileName": []', [], None),
    "several": ('"speaker": {"speakerId": "a"}, "script": 7, "fileName": {}', ["a"], None),
}


@pytest.mark.parametrize(("fields", "speakers", "number"), _ODD_2022.values(), ids=_ODD_2022)
@pytest.mark.parametrize("mend", ["", ","], ids=["whole", "mended"])
def test_odd_fields_cost_no_text(fields: str, speakers: list[Any], number: Any, mend: str) -> None:
    """A field beside the texts of another type than described costs no text, and gives what can be understood of it."""
    text = '"transcription": {"standard": "a", "sentences": [{"standard": "b", "speakerId": ["x"]}, null]}'
    for document in (f"{{{fields}, {text}{mend}}}", f"{{{text}, {fields}{mend}}}"):
        decoded = decode(document.encode())
        assert _texts_in(decoded) == ((None, None, "a"), [(None, None, "b"), None])
        assert isinstance(decoded, Decoded)
        assert isinstance(decoded.label, label2022.LabelFile)
        assert (decoded.odd, decoded.repaired) == (True, bool(mend))
        assert [speaker and speaker.speaker_id for speaker in decoded.label.speaker or []] == speakers
        assert (decoded.label.script and decoded.label.script.script_id) == number


@pytest.mark.parametrize(
    ("fields", "speakers", "category"),
    [
        pytest.param('"speaker": {"id": 1}, "metadata": [{"category": "경상"}]', [1], "경상", id="object-and-list"),
        pytest.param('"speaker": ["1", 2], "metadata": "경상방언"', ["1", 2], "경상방언", id="texts"),
        pytest.param('"id": [1]', [], None, id="list-for-id"),
    ],
)
def test_odd_fields_of_2020_cost_no_text(fields: str, speakers: list[Any], category: Any) -> None:
    """A conversation with fields of another type than described keeps its texts, and what can be understood of the rest."""
    decoded = decode(f'{{{fields}, "utterance": [null, {{"dialect_form": "a", "speaker_id": {{}}}}]}}'.encode())
    assert isinstance(decoded, Decoded)
    assert isinstance(decoded.label, label2020.LabelFile)
    assert decoded.odd
    assert [part and part.dialect_form for part in decoded.label.utterance or []] == [None, "a"]
    assert [speaker and speaker.id for speaker in decoded.label.speaker or []] == speakers
    assert (decoded.label.metadata and decoded.label.metadata.category) == category


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "[1, NaN,, -Infinity]"])
def test_what_python_writes_for_no_number_is_mended(value: str) -> None:
    """A `NaN` or an infinity in a field that is not read is mended, and one within a text is text."""
    decoded = decode(f'{{"endTime": {value}, "transcription": {{"standard": "a NaN b"}}}}'.encode())
    assert decoded == Decoded(_label_of("a NaN b"), repaired=True)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b'{"utterance": [{"dialect_form": "x"}]}', id="alone"),
        pytest.param(b'{"note": "transcription", "utterance": [{}]}', id="transcription-for-text"),
        pytest.param(b'{"metadata": {"transcription": {}}, "utterance": [{}],}', id="transcription-below-mended"),
        pytest.param(b'{"transcription": null, "utterance": [{}]}', id="null-transcription"),
    ],
)
def test_the_field_with_the_text_tells_the_generation(document: bytes) -> None:
    """A document with utterances and no transcription is of 2020, wherever else the word stands; else it is of 2022."""
    for content in (document, document.replace(b'{"', b'{"transcription": {}, "', 1)):
        outcome = decode(content)
        assert isinstance(outcome, Decoded)
        assert isinstance(outcome.label, label2020.LabelFile)
    both = decode(
        document.replace(b'{"', b'{"transcription": {"standard": "x"}, "', 1).replace(b'"transcription": null, ', b"")
    )
    assert isinstance(both, Decoded)
    assert isinstance(both.label, label2022.LabelFile)


@pytest.mark.parametrize("raw", ["\n", "\r\n", "\t", "a\n\nb\t"], ids=repr)
@pytest.mark.parametrize("around", ['{"utterance": [{"dialect_form": "%s"}]}', '{"form": "%s", "utterance": [{}]}'])
def test_raw_line_ends_within_strings(raw: str, around: str) -> None:
    """A line end or a tab within a string, which JSON forbids, is mended, in texts that are used and in others."""
    outcome = decode((around % raw).encode())
    assert isinstance(outcome, Decoded)
    assert outcome.repaired
    assert isinstance(outcome.label, label2020.LabelFile)
    assert [part and part.dialect_form for part in outcome.label.utterance or []] == (
        [raw] if "dialect" in around else [None]
    )


@pytest.mark.parametrize("raw", ["\0", "\x1b", "\x0b"], ids=repr)
def test_other_control_characters_are_refused(raw: str) -> None:
    """Any other control character within a string is no slip of a tool, and the label file is rejected."""
    outcome = decode(f'{{"utterance": [{{"dialect_form": "가{raw}"}}]}}'.encode())
    assert isinstance(outcome, Defect)
    assert outcome.reason is RejectReason.INVALID_JSON


@pytest.mark.parametrize("layout", list(_LAYOUTS))
def test_every_cut_is_noticed(layout: str) -> None:
    """A label file cut off anywhere is invalid JSON or, inside a syllable, invalid UTF-8, and never decoded."""
    document = json.dumps(_label(), ensure_ascii=False, **_LAYOUTS[layout]).encode()
    for length in range(len(document)):
        outcome = decode(document[:length])
        assert isinstance(outcome, Defect)
        assert outcome.reason in (RejectReason.INVALID_JSON, RejectReason.INVALID_UTF8)


@pytest.mark.parametrize(
    "number",
    [pytest.param(value, id=json.dumps(value)) for value in (0, 12, -1, 12.0, 1e300, "12", "", None, 2**63, 2**70)],
)
def test_numbers_may_be_anything(number: Any) -> None:
    """An identifier or a number may be whole, a fraction, a string or null, and as large as it likes."""
    label = _label(sentences=[{"speakerId": number, "standard": "어서 오세요", "startTime": number}], segments=number)
    label |= {"fileName": number, "speaker": [{"speakerId": number, "residenceProvince": number, "birthYear": number}]}
    label |= {"script": {"scriptId": number, "speechType": number}, "audio": number}
    assert _texts_in(decode(_document(label))) == _texts_of(label)


@pytest.mark.parametrize("depth", [100, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [pytest.param("[", "]", id="arrays"), pytest.param('{"x":', "}", id="objects")]
)
def test_deep_nesting_is_survived(opening: str, closing: str, depth: int) -> None:
    """Nesting as deep as a few hundred levels is read; far deeper is read or refused, as the interpreter's stack allows."""
    nested = opening * depth + "1" + closing * depth
    outcome = decode(f'{{"annotation": {nested}, "transcription": {{"standard": "가"}}}}'.encode())
    if isinstance(outcome, Defect):
        assert depth > 100
        assert outcome.reason is RejectReason.INVALID_JSON
    else:
        assert _texts_in(outcome) == _texts_of({"transcription": {"standard": "가"}})


@pytest.mark.parametrize(
    "array",
    [
        pytest.param("[]", id="empty"),
        pytest.param("[1]", id="one"),
        pytest.param("[" + ", ".join(["180.25"] * 5_000) + "]", id="long"),
        pytest.param("[ \n\t" + "1,\n" * 99 + "1\n ]", id="one-a-line"),
        pytest.param("[null, 1]", id="null-inside"),
        pytest.param('["1", "2"]', id="strings"),
        pytest.param('["]", "["]', id="brackets-in-strings"),
        pytest.param("[[1, 2], [3]]", id="nested"),
        pytest.param('[{"time": 1}]', id="objects"),
        pytest.param('"[1, 2"', id="no-array"),
        pytest.param("null", id="null"),
    ],
)
def test_intonations_of_any_shape_are_skipped(array: str) -> None:
    """What `intonations` hold, numbers or not, has no bearing on the texts around them."""
    inner = f'{{"intonations":{array},"standard":"가[]"}}'
    document = f'{{"a": {array}, "intonations" : {array}, "transcription": {inner}}}'
    assert _texts_in(decode(document.encode())) == ((None, None, "가[]"), [])
