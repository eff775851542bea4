"""What a check finds: problems from a closed list, each an error or a warning, with where it is and what to do."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from saturi.schemas.brief import brief
from saturi.schemas.origin import Origin


class Kind(StrEnum):
    """What can be wrong with a file, a line, or a message of it."""

    INVALID_UTF8 = "invalid_utf8"
    BOM = "bom"
    NO_BOM = "no_bom"
    BLANK_LINE = "blank_line"
    LINE_TOO_LONG = "line_too_long"
    INVALID_JSON = "invalid_json"
    LONE_SURROGATE = "lone_surrogate"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_KEY = "unknown_key"
    BAD_TOOLS = "bad_tools"
    NO_MESSAGES = "no_messages"
    EMPTY_MESSAGES = "empty_messages"
    NO_ROLE = "no_role"
    UNKNOWN_ROLE = "unknown_role"
    NO_CONTENT = "no_content"
    EMPTY_CONTENT = "empty_content"
    CONTENT_NOT_TEXT = "content_not_text"
    BAD_NAME = "bad_name"
    BAD_WEIGHT = "bad_weight"
    BAD_TOOL_CALL = "bad_tool_call"
    NO_ASSISTANT = "no_assistant"
    ASSISTANT_NOT_LAST = "assistant_not_last"
    TOO_FEW_EXAMPLES = "too_few_examples"
    FILE_TOO_LARGE = "file_too_large"
    CONTROL_TOKEN = "control_token"  # noqa: S105 - a token of text
    TOO_MANY_TOKENS = "too_many_tokens"
    DUPLICATE = "duplicate"
    IN_TRAINING = "in_training"
    ROLE_ORDER = "role_order"
    NOTHING_LEARNT = "nothing_learnt"
    REPEATED_KEY = "repeated_key"
    SEPARATOR = "separator"
    SPECIAL_TOKEN = "special_token"  # noqa: S105 - a token of text


class Problem(Struct, frozen=True, kw_only=True):
    """
    One thing wrong: *where*, what, and what to do; never a word of the text itself.

    `line` counts from 1 and is null for a whole file, `message` from 0 and is null for a whole line.
    """

    kind: Kind
    severity: Literal["error", "warning"]
    file: str
    line: int | None = None
    message: int | None = None
    detail: str
    advice: str
    origin: Origin | None = None


class CheckReport(Struct, frozen=True, kw_only=True):
    """
    What was checked, how often each kind of problem was met, and the first problems in full.

    A provider would refuse the files if there is any error.
    """

    files: int
    examples: int
    bytes: int
    errors: dict[str, int]
    warnings: dict[str, int]
    problems: list[Problem]

    def __repr__(self) -> str:
        return brief(self, files=self.files, examples=self.examples, errors=self.errors, warnings=self.warnings)
