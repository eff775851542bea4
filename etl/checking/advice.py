"""How grave each kind of problem is, and what to do about it."""

from typing import Literal, NamedTuple

from saturi.etl.checking.report import Kind

Severity = Literal["error", "warning"]


class Advice(NamedTuple):
    """An error is what a provider refuses or what fails a job; a warning is what it takes and you may not mean."""

    severity: Severity
    text: str


ADVICE: dict[Kind, Advice] = {
    Kind.INVALID_UTF8: Advice("error", "write the file in UTF-8"),
    Kind.BOM: Advice("error", "remove the first three bytes, EF BB BF: this provider takes no byte order mark"),
    Kind.NO_BOM: Advice("error", "put the bytes EF BB BF in front of the file: this provider wants a byte order mark"),
    Kind.BLANK_LINE: Advice("error", "remove the line"),
    Kind.LINE_TOO_LONG: Advice("error", "give JSONL, one example a line; no example is that long"),
    Kind.INVALID_JSON: Advice("error", "write one JSON object a line"),
    Kind.LONE_SURROGATE: Advice("error", "remove the escape: half of a pair is no character"),
    Kind.NOT_AN_OBJECT: Advice("error", "write an object there"),
    Kind.UNKNOWN_KEY: Advice("error", "remove the key"),
    Kind.BAD_TOOLS: Advice(
        "error", "give `tools` and `functions` as lists of objects, `parallel_tool_calls` as a boolean"
    ),
    Kind.NO_MESSAGES: Advice("error", 'write the conversation as a list under "messages"'),
    Kind.EMPTY_MESSAGES: Advice("error", "write at least one message of the assistant, or remove the line"),
    Kind.NO_ROLE: Advice("error", 'give the message a "role"'),
    Kind.UNKNOWN_ROLE: Advice("error", "use system, user, assistant, tool or function"),
    Kind.NO_CONTENT: Advice("error", 'give the message a "content"; only an assistant that calls tools may have none'),
    Kind.EMPTY_CONTENT: Advice("error", "write some text, or remove the line"),
    Kind.CONTENT_NOT_TEXT: Advice("error", "give the content as a string"),
    Kind.BAD_NAME: Advice("error", "give the name as a string, or remove it"),
    Kind.BAD_WEIGHT: Advice("error", "give the weight as 0 or 1"),
    Kind.BAD_TOOL_CALL: Advice(
        "error",
        'write calls as {"id", "type": "function", "function": {"name", "arguments": a string}}, and answer each by its id',
    ),
    Kind.NO_ASSISTANT: Advice("error", "write what the assistant should answer: nothing is learnt from the rest"),
    Kind.ASSISTANT_NOT_LAST: Advice("error", "end with a message of the assistant"),
    Kind.TOO_FEW_EXAMPLES: Advice("error", "join it with another file, or leave it out"),
    Kind.FILE_TOO_LARGE: Advice("error", "cut it into smaller files, or build with a smaller --max-chunk-bytes"),
    Kind.CONTROL_TOKEN: Advice("error", "remove it: this provider fails the job for it, after the upload"),
    Kind.TOO_MANY_TOKENS: Advice("warning", "shorten it: the provider cuts off what is over the limit"),
    Kind.DUPLICATE: Advice("warning", "remove it, unless it is meant to count twice: each one is paid for"),
    Kind.IN_TRAINING: Advice("warning", "remove it from one of them: a score on what was trained on says nothing"),
    Kind.ROLE_ORDER: Advice(
        "warning", "let user and assistant alternate, after one system message: many models know no other order"
    ),
    Kind.NOTHING_LEARNT: Advice("warning", "give a message weight 1, or remove the line: it is paid for all the same"),
    Kind.REPEATED_KEY: Advice("warning", "keep one of them: readers differ on which one counts"),
    Kind.SEPARATOR: Advice("warning", "escape U+2028, U+2029 and U+0085: some readers end a line there"),
    Kind.SPECIAL_TOKEN: Advice("warning", "remove it, unless it is meant as text: some trainers take it for a command"),
}
