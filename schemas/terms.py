"""The closed lists of the project: regions, speech types, splits, options, reasons for rejects and drops."""

from enum import IntEnum, StrEnum


class Region(StrEnum):
    """Dialect region of a recording, after AI-Hub's data sets 71517 and 71558."""

    GANGWON = "gangwon"
    GYEONGSANG = "gyeongsang"
    CHUNGCHEONG = "chungcheong"
    JEOLLA = "jeolla"
    JEJU = "jeju"
    UNKNOWN = "unknown"


class Generation(IntEnum):
    """The year of a data set, which determines the form of its label files."""

    OF_2020 = 2020
    OF_2022 = 2022


class SpeechType(StrEnum):
    """Elicitation of the speech: repeating a script, answering a question, or a dialogue of two."""

    REPEAT = "repeat"
    ANSWER = "answer"
    DIALOGUE = "dialogue"
    UNKNOWN = "unknown"


KOREAN: dict[str, Region | SpeechType] = {
    "강원": Region.GANGWON,
    "강원도": Region.GANGWON,
    "경상": Region.GYEONGSANG,
    "경상도": Region.GYEONGSANG,
    "충청": Region.CHUNGCHEONG,
    "충청도": Region.CHUNGCHEONG,
    "전라": Region.JEOLLA,
    "전라도": Region.JEOLLA,
    "제주": Region.JEJU,
    "제주도": Region.JEJU,
    "따라말하기": SpeechType.REPEAT,
    "1인발화따라말하기": SpeechType.REPEAT,
    "질문에답하기": SpeechType.ANSWER,
    "1인발화질문에답하기": SpeechType.ANSWER,
    "2인발화": SpeechType.DIALOGUE,
    "대화": SpeechType.DIALOGUE,
}
"""Korean words for regions and speech types, those of AI-Hub's archives among them, without blanks."""


class Split(StrEnum):
    """Part of the examples: for training, or held out."""

    TRAIN = "train"
    VALIDATION = "validation"


class Unit(StrEnum):
    """Size of one utterance: a whole label file, or one sentence of it."""

    FILE = "file"
    SENTENCE = "sentence"


class Source(StrEnum):
    """Transcription of the dialect: phonetic, or in dialect orthography."""

    PRONUNCIATION = "pronunciation"
    DIALECT = "dialect"


class Direction(StrEnum):
    """Language that a model learns to write: standard Korean, or dialect."""

    TO_STANDARD = "to-standard"
    TO_DIALECT = "to-dialect"


class Dedup(StrEnum):
    """Item that a shard holds only once: a pair, a source text, or none."""

    PAIR = "pair"
    SOURCE = "source"
    NONE = "none"


class Conflicts(StrEnum):
    """Pairs to keep where a source has several targets: all, those with the most frequent target, or none."""

    KEEP = "keep"
    MAJORITY = "majority"
    DROP = "drop"


class Dimension(StrEnum):
    """Facts by which shards may be separated, beside the split."""

    REGION = "region"
    SPEECH_TYPE = "speech_type"


class SplitKey(StrEnum):
    """Facts that never occur in both splits: scripts and texts, or speakers."""

    SCRIPT = "script"
    SPEAKER = "speaker"


class RejectReason(StrEnum):
    """Reason why a label file could not be read."""

    ENCRYPTED = "encrypted"
    UNSUPPORTED_METHOD = "unsupported_method"
    TOO_LARGE = "too_large"
    RATIO = "ratio"
    OVERLAP = "overlap"
    BAD_HEADER = "bad_header"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    SIZE_MISMATCH = "size_mismatch"
    CRC_MISMATCH = "crc_mismatch"
    UNREADABLE = "unreadable"
    INVALID_UTF8 = "invalid_utf8"
    INVALID_JSON = "invalid_json"
    WRONG_TOP_LEVEL = "wrong_top_level"
    MISSING_TRANSCRIPTION = "missing_transcription"
    TEXT_NOT_STRING = "text_not_string"
    WRONG_TYPE = "wrong_type"
    EMPTY_LABEL = "empty_label"
    WORKER_KILLED = "worker_killed"


class DropReason(StrEnum):
    """Reason why a decoded utterance is in no chunk, in the order of the rules."""

    REGION_EXCLUDED = "region_excluded"
    SPEECH_TYPE_EXCLUDED = "speech_type_excluded"
    PERSONAL_DATA = "personal_data"
    UNCLEAR = "unclear"
    MARKUP = "markup"
    EMPTY_SOURCE = "empty_source"
    EMPTY_TARGET = "empty_target"
    IDENTICAL = "identical"
    TOO_FEW_WORDS = "too_few_words"
    TOO_MANY_WORDS = "too_many_words"
    TOO_FEW_CHARS = "too_few_chars"
    TOO_MANY_CHARS = "too_many_chars"
    LENGTH_RATIO = "length_ratio"
    OVER_CAP = "over_cap"
    NO_OFFICIAL_SPLIT = "no_official_split"
    SPLIT_CONFLICT = "split_conflict"
    SEVERAL_TARGETS = "several_targets"
    DUPLICATE = "duplicate"
    IN_TRAINING = "in_training"
    OVER_SCRIPT = "over_script"
    OVER_SPEAKER = "over_speaker"
    OVER_BALANCE = "over_balance"
    NOT_SAMPLED = "not_sampled"
