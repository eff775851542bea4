"""Words of a report in its language, and the terms of the project in Korean."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from saturi.etl.reports.shown_names import short
from saturi.schemas.terms import DropReason, RejectReason

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = ("en", "ko")

_TERMS: dict[str, str] = {
    "gangwon": "강원",
    "gyeongsang": "경상",
    "chungcheong": "충청",
    "jeolla": "전라",
    "jeju": "제주",
    "all": "전체",
    "repeat": "따라 말하기",
    "answer": "질문에 답하기",
    "dialogue": "2인 발화",
    "unknown": "알 수 없음",
    "train": "학습",
    "validation": "검증",
    "none": "없음",
    "file": "파일",
    "sentence": "문장",
    "speakers": "화자",
    "scripts": "대본",
    "texts": "글",
    "script": "대본",
    "speaker": "화자",
    "rewrite": "정리",
    "drop": "제외",
    "keep": "유지",
    "mask": "가림",
    "unread": "이유 기록 없음",
    "succeeded": "성공",
    "failed": "실패",
    "cancelled": "취소됨",
    "running": "진행 중",
    "queued": "대기 중",
    "intended": "만들려 함",
    "created": "만듦",
    "refused": "거절됨",
    "abandoned": "포기함",
    "higher": "높을수록",
    "lower": "낮을수록",
    "neither": "–",
}

_REASONS: dict[str, str] = {
    RejectReason.ENCRYPTED: "암호화됨",
    RejectReason.UNSUPPORTED_METHOD: "지원하지 않는 압축",
    RejectReason.TOO_LARGE: "너무 큼",
    RejectReason.RATIO: "압축률 초과",
    RejectReason.OVERLAP: "겹친 항목",
    RejectReason.BAD_HEADER: "잘못된 헤더",
    RejectReason.TRUNCATED: "잘림",
    RejectReason.CORRUPT: "손상됨",
    RejectReason.SIZE_MISMATCH: "크기 불일치",
    RejectReason.CRC_MISMATCH: "CRC 불일치",
    RejectReason.UNREADABLE: "읽을 수 없음",
    RejectReason.INVALID_UTF8: "UTF-8 아님",
    RejectReason.INVALID_JSON: "JSON 아님",
    RejectReason.WRONG_TOP_LEVEL: "다른 최상위 형식",
    RejectReason.MISSING_TRANSCRIPTION: "전사 없음",
    RejectReason.TEXT_NOT_STRING: "글이 문자열이 아님",
    RejectReason.WRONG_TYPE: "다른 자료형",
    RejectReason.EMPTY_LABEL: "빈 라벨",
    RejectReason.WORKER_KILLED: "작업 프로세스 종료",
    DropReason.REGION_EXCLUDED: "제외한 지역",
    DropReason.SPEECH_TYPE_EXCLUDED: "제외한 발화 유형",
    DropReason.PERSONAL_DATA: "개인정보",
    DropReason.UNCLEAR: "불명확",
    DropReason.MARKUP: "전사 기호",
    DropReason.EMPTY_SOURCE: "빈 원문",
    DropReason.EMPTY_TARGET: "빈 표준어",
    DropReason.IDENTICAL: "원문과 표준어가 같음",
    DropReason.TOO_FEW_WORDS: "어절이 적음",
    DropReason.TOO_MANY_WORDS: "어절이 많음",
    DropReason.TOO_FEW_CHARS: "글자가 적음",
    DropReason.TOO_MANY_CHARS: "글자가 많음",
    DropReason.LENGTH_RATIO: "길이 비율",
    DropReason.OVER_CAP: "상한 초과",
    DropReason.NO_OFFICIAL_SPLIT: "공식 구분 없음",
    DropReason.SPLIT_CONFLICT: "구분 충돌",
    DropReason.SEVERAL_TARGETS: "표준어가 여럿",
    DropReason.DUPLICATE: "중복",
    DropReason.IN_TRAINING: "학습에 있음",
    DropReason.OVER_SCRIPT: "대본별 상한",
    DropReason.OVER_SPEAKER: "화자별 상한",
    DropReason.OVER_BALANCE: "균형 상한",
    DropReason.NOT_SAMPLED: "표본에 없음",
}

_RULES = {
    "invisible": "보이지 않는 글자",
    "double": "이중 전사 (방언)/(표준어)",
    "event": "소리 표시",
    "inaudible": "들리지 않음",
    "unsure": "불확실한 전사",
    "broken": "깨진 기호",
    "masked": "가린 이름",
    "interjection": "간투사 기호",
    "stutter": "더듬은 말",
    "lengthening": "길게 끈 소리",
    "unclear": "불명확한 발음",
    "space": "공백",
    "resident_number": "주민등록번호",
    "phone": "전화번호",
    "email": "이메일",
}

_STEPS = {
    "scan": "목록 읽기",
    "read": "읽기",
    "select": "고르기",
    "compare": "비교",
    "share": "나누기",
    "limit": "상한",
    "sample": "표본",
    "render": "줄 만들기",
    "write": "쓰기",
    "prove": "검증",
    "tables": "표 쓰기",
}

_KOREAN = _TERMS | _REASONS
"""Terms by their names in code; a term that is not here, such as a name of a metric, stands for itself. Rules and steps have
words that are reasons or terms, too, and stand apart."""


class Words(NamedTuple):
    """Words in one language."""

    language: Language

    def __call__(self, english: str, korean: str) -> str:
        """Return the one of the two that is in this language."""
        return korean if self.language == "ko" else english

    def term(self, name: str | None) -> str:
        """Return what a term of the project is called; a dash where there is none."""
        if name is None:
            return "–"
        return self._of(_KOREAN, name)

    def rule(self, name: str) -> str:
        """Return what a rule of cleaning is called."""
        return self._of(_RULES, name)

    def step(self, name: str) -> str:
        """Return what a step of a build is called."""
        return self._of(_STEPS, name)

    def _of(self, korean: Mapping[str, str], name: str) -> str:
        english = short(name.replace("_", " "))
        return korean.get(name, english) if self.language == "ko" else english

    def group(self, region: str, speech_type: str) -> str:
        """Return what a region and speech type are called."""
        return f"{self.term(region)} · {self.term(speech_type)}"


def count(number: float | None) -> str:
    """Return a whole number, or a dash."""
    return "–" if number is None else f"{number:,.0f}"


def decimal(number: float | None, places: int = 1) -> str:
    """Return a number with some places, or a dash."""
    return "–" if number is None else f"{number:,.{places}f}"


def share(part: float, whole: float) -> str:
    """Return what *part* is of *whole*, in percent."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def amount(size: float) -> str:
    """Return a number of bytes."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 - steps of the decimal prefixes
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
