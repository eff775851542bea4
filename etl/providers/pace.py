"""How patient the submitter is: waits, deadlines, and how often it looks."""

from saturi.etl.settings.fields import Options

_HOUR = 3600.0


class Pace(Options, frozen=True, kw_only=True):
    """
    Waits and deadlines, in seconds.

    Args:
        first_wait_seconds, longest_wait_seconds: Before the first repetition of a request, and at most before any; in
            between it doubles. A wait is shortened by up to a half at random.
        longest_asked_seconds: The longest wait that a provider may ask for; never less than the wait there would be anyway.
        answer_seconds: How long an answer may take, from the last byte of the request to its own last byte.
        store_seconds: How long a provider may take to answer to a file, or to a part of one, once it has all of it.
        read_seconds: Deadline for a read with all its repetitions.
        upload_seconds: Deadline for a file with all its repetitions; uploads in parts expire after an hour.
        quiet_seconds: How long is waited for an answer, or a request repeated, before that is reported.
        looks_seconds: The wait before each look for a job that may or may not have been created.
        poll_seconds: How often a job is looked at.
        model_seconds: How long a watch waits for the name of the model of a job that succeeded.
        unreachable_seconds: How long a watch goes on while there is no answer.
    """

    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0
    longest_asked_seconds: float = 600.0
    answer_seconds: float = 120.0
    store_seconds: float = 600.0
    read_seconds: float = 300.0
    upload_seconds: float = _HOUR - 300
    quiet_seconds: float = 5.0
    looks_seconds: tuple[float, ...] = (0.0, 3.0, 7.0, 10.0, 20.0, 20.0)
    poll_seconds: float = 10.0
    model_seconds: float = 600.0
    unreachable_seconds: float = 6 * _HOUR
