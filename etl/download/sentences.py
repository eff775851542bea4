"""
AI-Hub's refusals: sentences in the body, whatever the status, and the error and the advice for each.

The sentences are those that users have met; one that is unknown is shown as it is.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import NamedTuple

from saturi.etl.errors import EligibilityError, EtlError, OptionError, ProviderError
from saturi.etl.output.printable import printable

_PAGE = "https://aihub.or.kr/aihubdata/data/view.do?dataSetSn="
_MOST = 300
_MOST_BODY = 100_000
_TAG = re.compile(r"<(?P<end>/?)(?P<hidden>(?:script|style)\b)?[^<>]*>", re.IGNORECASE)


class _Known(NamedTuple):
    """A kind of refusal: its words, its error, what it means, what to do."""

    words: re.Pattern[str]
    error: Callable[[str, str, str], EtlError]
    meaning: str
    advice: str


_KEY_OR_APPROVAL = re.compile("인증 ?실패|인증에 실패|인증 ?키|권한|login fail|api ?key", re.IGNORECASE)
"""AI-Hub says the same of a wrong key and of a data set that is not approved."""

_KNOWN = (
    _Known(
        re.compile("해외"),
        EligibilityError,
        "AI-Hub sends no data abroad, and this connection seems to come from there",
        "run the same command on a machine with an address in Korea",
    ),
    _Known(
        re.compile("만료|유효 ?기간"),
        EligibilityError,
        "the approval has expired",
        "apply again at {page}, and run the same command when it is approved",
    ),
    _Known(
        re.compile("신규 ?버전|버전을"),
        ProviderError,
        "AI-Hub has a newer download interface",
        "install a newer version of saturi",
    ),
    _Known(
        _KEY_OR_APPROVAL,
        EligibilityError,
        "the key is wrong, or the data set is not approved; AI-Hub does not say which",
        "compare the key with the one at aihub.or.kr, and see at {page} whether your application is approved",
    ),
    _Known(
        re.compile("신청|승인"),
        EligibilityError,
        "there is no approval for this data set",
        "apply at {page}, which takes about a working day, and run the same command then",
    ),
    _Known(
        re.compile("존재하지 ?않"),
        OptionError,
        "there is no such data set or file",
        "see its number in the address of its page at aihub.or.kr",
    ),
)


def text_in(body: bytes) -> str:
    """Return *body* as text: UTF-8, as AI-Hub sends it, else the code page of Korean Windows."""
    try:
        return getincrementaldecoder("utf-8-sig")().decode(body)  # a sign that is cut off at the end is none
    except UnicodeDecodeError:
        pass
    try:
        return body.decode("cp949")
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace")


def sentence_in(body: bytes, key: str | None = None) -> str:
    """Return the sentence in *body* as it may be shown: without tags, on one line, bounded, and without the key."""
    text = " ".join(_without_tags(text_in(body[:_MOST_BODY])).split())
    return printable(text.replace(key, "(key)") if key else text, _MOST)


def _without_tags(text: str) -> str:
    """Return what of *text* a browser would show."""
    shown, at, hidden = [], 0, False
    for tag in _TAG.finditer(text):
        if not hidden:
            shown.append(text[at : tag.start()])
        if tag["hidden"]:
            hidden = not tag["end"]
        at = tag.end()
    return " ".join([*shown, "" if hidden else text[at:]])


def asks_for_key(sentence: str) -> bool:
    """Return whether *sentence* says that the key is missing or wrong; of a missing approval AI-Hub says the same."""
    return _KEY_OR_APPROVAL.search(sentence) is not None


def refusal_in(sentence: str, data_set: int, file_number: int | None = None) -> EtlError | None:
    """Return the error for a known *sentence*, the answer for a list or a file; None where it is unknown, or no refusal."""
    where = f"data set {data_set}" if file_number is None else f"data set {data_set}, file {file_number}"
    for known in _KNOWN:
        if known.words.search(sentence):
            advice = known.advice.format(page=f"{_PAGE}{data_set}")
            return known.error(where, f"{known.meaning} (AI-Hub: {sentence})", advice)
    return None


def wrong_key(where: str) -> OptionError:
    """Return the error for a key that AI-Hub does not know; *where* is the variable or the file that holds it."""
    return OptionError(
        where, "AI-Hub does not know this key", "copy it anew from aihub.or.kr, or have a new one made there"
    )
