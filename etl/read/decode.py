"""
Decode one label file of either generation; whatever is wrong with it becomes a `Defect`, never an exception.

Mended: a UTF-8 byte order mark, NULs at the end, commas doubled or before a closing bracket, line ends and tabs within a
string, and `NaN` and `Infinity`, which are no JSON, as a value that no text can be. Quotes belong to the text, so nothing
else is mended. A field beside the texts that has another type than described costs no text.

A label file of 2022 whose texts can be read is read at a glance (`glance`): what is not used is not even looked at. Every other
document is looked at as a whole, which says what is wrong with it, and where.
"""

import re
from codecs import getincrementaldecoder
from typing import Any

import msgspec
from msgspec import Struct, structs

from saturi.etl.corpus.archive import Defect
from saturi.etl.read.glance import glance_at
from saturi.etl.read.odd import LabelFile, label_of
from saturi.schemas import label2020, label2022
from saturi.schemas.terms import RejectReason

_BOM = b"\xef\xbb\xbf"
_MOST_OBJECTS = 100_000  # in a large label file; a real one has a few thousand, and each takes 100 bytes
_MANY_SENTENCES, _SENTENCE_BYTES = 1000, 40  # what one takes at least; it becomes 150 bytes of rows, even of empty ones
_MOST_MENDED = 1000  # more are no slip of a pen, and mending them would take memory without bound
_BLOCK_BYTES = 1 << 20
_LARGE_BYTES = 1 << 20  # few real label files are larger, and copies of such a one would not be small
_MISSING, _EMPTY = RejectReason.MISSING_TRANSCRIPTION, RejectReason.EMPTY_LABEL
_HEAD_BYTES = 64
_TRUNCATED = "Input data was truncated"
_BYTE = re.compile(r"\(byte (\d+)\)")
_TEXT_PATH = re.compile(
    r"`\$\.(?:transcription(?:\.sentences\[(?:\d+|\.\.\.)\])?\.(?:dialect|pronunciation|standard)"
    r"|utterance\[(?:\d+|\.\.\.)\]\.(?:dialect|standard)_form)`$"
)
# A string (also one that is never closed), a run of commas that does not separate two values, or what Python writes for a
# float that is no number; each is taken whole, so that the search stays linear. Each begins with a byte of a few, which `re`
# looks for at once.
_MENDABLE = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|,\s*+(?=[,\]}])[\s,]*+|-(?:NaN|Infinity)|NaN|Infinity', re.DOTALL
)


_ESCAPES = {b"\n": rb"\n", b"\r": rb"\r", b"\t": rb"\t"}

_DECODER_2022 = msgspec.json.Decoder(label2022.LabelFile)
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {  # of any, since a decoder of one is none of both
    "transcription": _DECODER_2022,
    "utterance": msgspec.json.Decoder(label2020.LabelFile),
}
_ODD_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "transcription": msgspec.json.Decoder(label2022.OddLabelFile),
    "utterance": msgspec.json.Decoder(label2020.OddLabelFile),
}
"""By the field that holds the text, which differs between the generations."""


class Decoded(Struct, frozen=True, gc=False):
    """A label file, which has its text; whether something within it was mended, and whether a field has an odd type."""

    label: LabelFile
    repaired: bool
    odd: bool = False


def bare(document: bytes) -> bytes:
    """Return *document* without byte order mark and NULs at the end."""
    return _without_nuls(document.removeprefix(_BOM))


def _without_nuls(document: bytes) -> bytes:
    return document.rstrip(b"\0\r\n") if document.endswith((b"\0", b"\0\n")) else document


def decode(document: bytes) -> Decoded | Defect:
    """Return the label file in *document*, or why there is none."""
    label = _read_at_a_glance(bare(document))
    if label is not None:
        return Decoded(label, repaired=False)
    if document.startswith(_BOM):
        decoded = _decode(document[len(_BOM) :])
        if isinstance(decoded, Defect) and decoded.position is not None:
            return structs.replace(decoded, position=decoded.position + len(_BOM))
        return decoded
    return _decode(document)


def _read_at_a_glance(document: bytes) -> LabelFile | None:
    """Return the label file of 2022 in *document*, or None where it has to be looked at as a whole."""
    if len(document) > _LARGE_BYTES or _guess_text(document) != "transcription":
        return None
    glance = glance_at(document)
    try:
        label = _DECODER_2022.decode(glance.document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    text = label.transcription
    if text is None or (glance.cut and (label.file_name is None or label.speaker is None or label.script is None)):
        return None
    count = len(text.sentences) if text.sentences else 0
    # `_is_empty` and `_is_crowded`, at a glance
    return label if 0 < count <= _MANY_SENTENCES or not (_is_empty(label) or _is_crowded(label, document)) else None


def _decode(document: bytes) -> Decoded | Defect:
    document = _without_nuls(document)
    if not document or document.isspace():
        return Defect(RejectReason.INVALID_JSON, None, "the file is empty")
    text = _guess_text(document)
    decoded = _decode_as(text, document)
    if text == "transcription" and b'"utterance"' in document and _lacks(decoded, _MISSING, _EMPTY):
        other = _decode_as("utterance", document)
        return decoded if _lacks(other, _MISSING) or (_lacks(other, _EMPTY) and _lacks(decoded, _EMPTY)) else other
    return decoded


def _guess_text(document: bytes) -> str:
    """Return the field that seems to hold the text of *document*; at a glance, and so it may be another's name, or a text."""
    # 2022's files, of which there are most, begin with their names.
    if document.find(b'"fileName"', 0, _HEAD_BYTES) >= 0:
        return "transcription"
    if b'"transcription"' in document or b'"utterance"' not in document:
        return "transcription"
    return "utterance"


def _lacks(decoded: Decoded | Defect, *reasons: RejectReason) -> bool:
    return isinstance(decoded, Defect) and decoded.reason in reasons


def _decode_as(text: str, document: bytes) -> Decoded | Defect:
    """Return the label file in *document* of the generation that has its text in the field *text*."""
    if len(document) > _LARGE_BYTES and document.count(b"{") + document.count(b"null") > _MOST_OBJECTS:
        return Defect(RejectReason.TOO_LARGE, None, f"more than {_MOST_OBJECTS} objects in it")
    # The document as a whole says what is wrong with it, and where. msgspec checks only the strings it keeps.
    invalid = _invalid_utf8(document)
    if invalid is not None:
        return invalid
    whole = _parse(text, document)
    if isinstance(whole, Defect) and whole.reason is RejectReason.INVALID_JSON:
        repaired = _parse(text, mended(document))
        if isinstance(repaired, Defect):
            # The first complaint is the one that says where the file, as it is, went wrong.
            return whole if repaired.reason is whole.reason else repaired
        return _checked(text, structs.replace(repaired, repaired=True), document)
    return _checked(text, whole, document)


def _checked(text: str, decoded: Decoded | Defect, document: bytes) -> Decoded | Defect:
    if isinstance(decoded, Defect):
        return decoded
    if getattr(decoded.label, text) is None:
        return Defect(RejectReason.MISSING_TRANSCRIPTION, None, f"no `{text}` in it")
    if _is_empty(decoded.label):
        return Defect(RejectReason.EMPTY_LABEL, None, f"no text in `{text}`")
    if _is_crowded(decoded.label, document):
        count = _sentences_in(decoded.label)
        return Defect(RejectReason.TOO_LARGE, None, f"{count} sentences in {len(document)} bytes")
    return decoded


def _is_empty(label: LabelFile) -> bool:
    """Whether *label* has neither a sentence nor a text of the whole, so that no utterance comes of it."""
    if _sentences_in(label):
        return False
    text = label.transcription if isinstance(label, label2022.LabelFile) else None
    spellings = () if text is None else (text.pronunciation, text.dialect, text.standard)
    return not any(spelling and not spelling.isspace() for spelling in spellings)


def _is_crowded(label: LabelFile, document: bytes) -> bool:
    """Whether *document* has sentences without end in it that hold nothing."""
    count = _sentences_in(label)
    return count > _MANY_SENTENCES and count * _SENTENCE_BYTES > len(document)


def _sentences_in(label: LabelFile) -> int:
    if isinstance(label, label2020.LabelFile):
        return len(label.utterance or ())
    return len(label.transcription.sentences or ()) if label.transcription is not None else 0


def _parse(text: str, document: bytes, *, odd: bool = False) -> Decoded | Defect:
    """Return the label file in *document*; *odd* where one of its fields has another type than described."""
    try:
        if odd:
            return Decoded(label_of(_ODD_DECODERS[text].decode(document)), repaired=False, odd=True)
        return Decoded(_DECODERS[text].decode(document), repaired=False)
    except msgspec.ValidationError as error:
        return _wrong_type(str(error)) if odd else _parse(text, document, odd=True)
    except msgspec.DecodeError as error:
        detail = str(error)
        if detail == _TRUNCATED:
            return Defect(RejectReason.INVALID_JSON, None, "ends too early, or holds half of a surrogate pair")
        at = _BYTE.search(detail)
        # Of what follows the document, msgspec names the second byte.
        behind = detail.startswith("JSON is malformed: trailing characters")
        return Defect(RejectReason.INVALID_JSON, int(at[1]) - behind if at else None, _BYTE.sub("", detail).rstrip())
    except RecursionError:
        return Defect(RejectReason.INVALID_JSON, None, "nested too deeply")


def _wrong_type(detail: str) -> Defect:
    """Return the defect for msgspec's complaint *detail*, which names types and a path, never a value."""
    if " - at `" not in detail:
        return Defect(RejectReason.WRONG_TOP_LEVEL, 0, detail)
    reason = RejectReason.TEXT_NOT_STRING if _TEXT_PATH.search(detail) else RejectReason.WRONG_TYPE
    return Defect(reason, None, detail)


def _invalid_utf8(document: bytes) -> Defect | None:
    """Return the defect at the first byte that is no UTF-8; by blocks, since a text takes up to four times its bytes."""
    decoder = getincrementaldecoder("utf-8")()
    for at in range(0, len(document), _BLOCK_BYTES):
        carried = len(decoder.getstate()[0])
        try:
            decoder.decode(document[at : at + _BLOCK_BYTES], final=at + _BLOCK_BYTES >= len(document))
        except UnicodeDecodeError as error:
            return Defect(RejectReason.INVALID_UTF8, at - carried + error.start, error.reason)
    return None


def mended(document: bytes) -> bytes:
    """Return *document* without commas that separate nothing, line ends and tabs in strings escaped, `NaN` as `false`."""
    pieces: list[bytes] = []
    done = 0
    for match in _MENDABLE.finditer(document):
        run = match[0]
        if run.startswith(b'"'):
            instead = _escaped(run)
        elif not run.startswith(b","):
            instead = b"false"
        else:
            instead = b"" if document[match.end() : match.end() + 1] in (b"]", b"}") else b","
        if instead is not run:
            pieces += (document[done : match.start()], instead)
            done = match.end()
            if len(pieces) > _MOST_MENDED:
                return document
    return b"".join([*pieces, document[done:]])


def _escaped(string: bytes) -> bytes:
    """Return a *string* of a document with its line ends and tabs escaped; itself where it has none."""
    for raw, escape in _ESCAPES.items():
        if raw in string:
            string = string.replace(raw, escape)
    return string
