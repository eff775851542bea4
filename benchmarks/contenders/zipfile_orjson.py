"""`zipfile` and orjson, a process pool over the zips: what a good engineer writes in ten minutes."""

from functools import partial

import orjson

from benchmarks.contenders.recipe import Pair, convert_in_pool, run


def parse(document: bytes) -> Pair:
    """Return the pair in *document*."""
    text = orjson.loads(document)["transcription"]
    return text["pronunciation"], text["standard"]


if __name__ == "__main__":
    run(partial(convert_in_pool, parse))
