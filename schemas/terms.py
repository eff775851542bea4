"""The closed lists of the field: regions, speech types, splits and the reasons why something was left out."""

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
    """The year of a data set, which tells the form of its label files."""

    OF_2020 = 2020
    OF_2022 = 2022


class SpeechType(StrEnum):
    """How the speech was elicited: reading after a script, answering a question, or talking in pairs."""

    REPEAT = "repeat"
    ANSWER = "answer"
    DIALOGUE = "dialogue"
    UNKNOWN = "unknown"


class Split(StrEnum):
    """Side of an example: learnt from, or held out."""

    TRAIN = "train"
    VALIDATION = "validation"


class Unit(StrEnum):
    """What one utterance is: a whole label file, or one sentence of it."""

    FILE = "file"
    SENTENCE = "sentence"


class Source(StrEnum):
    """Which transcription is the input: the sounds as spoken, or their dialect orthography."""

    PRONUNCIATION = "pronunciation"
    DIALECT = "dialect"


class RejectReason(StrEnum):
    """Why a label file could not be read."""

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
    WORKER_KILLED = "worker_killed"


class DropReason(StrEnum):
    """Why an utterance that was read is in no chunk; the order is the order of the rules."""

    REGION_EXCLUDED = "region_excluded"
    SPEECH_TYPE_EXCLUDED = "speech_type_excluded"
    PERSONAL_DATA = "personal_data"
    UNCLEAR = "unclear"
    MARKUP = "markup"
    NO_OFFICIAL_SPLIT = "no_official_split"
    SPLIT_CONFLICT = "split_conflict"
    EMPTY_SOURCE = "empty_source"
    EMPTY_TARGET = "empty_target"
    DUPLICATE = "duplicate"
    IN_TRAINING = "in_training"
    OVER_CAP = "over_cap"
