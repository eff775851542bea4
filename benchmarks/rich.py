"""
The rich shape: label files of which a third is beside F0: segments, annotation and the transcript of a recogniser.

As another generator of synthetic corpora has it: 41.6 kB a file, four-space indent. Made of the label files of
`etl.synthetic`, whose annotation and transcript are empty: with fewer pitch values, and a layer for each word.
"""

import random
import re

from saturi.etl.synthetic.documents import F0Pool, label_document
from saturi.etl.synthetic.series import LabelName

_WORD = re.compile(rb'"startTime": "([^"]*)",\n\t\t\t\t"endTime": (?:null|"[^"]*"),\n\t\t\t\t"dialect": "([^"]*)"')
_EMPTY_LAYERS = b'"standards": [],\n\t\t"intonations": [],\n\t\t"transcriptionAnnotations": []'
_EMPTY_SEGMENTS = b'"segments": []'
_STANDARD = b'\n\t\t\t{\n\t\t\t\t"order": %d,\n\t\t\t\t"form": "%s",\n\t\t\t\t"begin": %d,\n\t\t\t\t"end": %d\n\t\t\t}'
_SPOKEN = (
    b'\n\t\t\t{\n\t\t\t\t"order": %d,\n\t\t\t\t"time": "%s",\n\t\t\t\t"transcript": "%s",\n\t\t\t\t"confidence": 0.%d'
    b"\n\t\t\t}"
)
_INTONATION = b'\n\t\t\t{\n\t\t\t\t"order": %d,\n\t\t\t\t"type": "LH%%"\n\t\t\t}'


class ThinPool(F0Pool):
    """Pitch values at 50 a second and not 160, since four spaces a level make each line twice as long."""

    def cut(self, lines: int, rng: random.Random) -> bytes:
        """Return fewer *lines*."""
        return super().cut(lines * 54 // 160, rng)


def rich_document(name: LabelName, pool: F0Pool, rng: random.Random) -> bytes:
    """Return a label file of the rich shape."""
    document = label_document(name, pool, rng)
    head, mark, tail = document.rpartition(b'\t"annotation": {')
    words = _WORD.findall(head, 0, head.index(b'"sentences"'))
    standards = b",".join(_STANDARD % (n, word, n * 3, n * 3 + 2) for n, (_, word) in enumerate(words))
    intonations = b",".join(_INTONATION % n for n in range(len(words)))
    spoken = b",".join(_SPOKEN % (n, time, word, 700 + n * 37 % 300) for n, (time, word) in enumerate(words))
    layers = b'"standards": [%s\n\t\t],\n\t\t"intonations": [%s\n\t\t],\n\t\t"transcriptionAnnotations": []' % (
        standards,
        intonations,
    )
    tail = tail.replace(_EMPTY_LAYERS, layers).replace(_EMPTY_SEGMENTS, b'"segments": [%s\n\t\t]' % spoken)
    return (head + mark + tail).replace(b"\t", b"    ")
