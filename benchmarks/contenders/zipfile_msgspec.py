"""`zipfile` and msgspec with structs of only the fields that are used, a process pool over the zips."""

from functools import partial

import msgspec

from benchmarks.contenders.recipe import Pair, convert_in_pool, run


class Transcription(msgspec.Struct):
    """The two texts."""

    pronunciation: str | None = None
    standard: str | None = None


class Label(msgspec.Struct):
    """All that is used of a label file."""

    transcription: Transcription


_DECODER = msgspec.json.Decoder(Label)


def parse(document: bytes) -> Pair:
    """Return the pair in *document*."""
    text = _DECODER.decode(document).transcription
    return text.pronunciation, text.standard


if __name__ == "__main__":
    run(partial(convert_in_pool, parse))
