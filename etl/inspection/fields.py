"""Values of the closed fields of a label file; a value that cannot be understood counts as such."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from saturi.etl.read.decode import bare, mended
from saturi.etl.read.glance import without_f0
from saturi.schemas.particulars import CLOSED_FIELDS, Particulars2020, Particulars2022
from saturi.schemas.terms import Generation

_LONGEST_VALUE = 40  # characters; a longer one is no value of a closed field, and may be a text of the corpus
_DECODERS: dict[Generation, msgspec.json.Decoder[Any]] = {
    Generation.OF_2022: msgspec.json.Decoder(Particulars2022),
    Generation.OF_2020: msgspec.json.Decoder(Particulars2020),
}
_PATHS = {
    generation: [(path, tuple(path.replace("[]", ".[]").split("."))) for path in paths]
    for generation, paths in CLOSED_FIELDS.items()
}


def closed_values(document: bytes, generation: Generation) -> Iterator[tuple[str, str]]:
    """Yield (path, value as JSON) for each closed field of the label file in *document*, which was decoded before."""
    particulars = _particulars(without_f0(bare(document)), generation)
    if particulars is not None:
        whole = msgspec.to_builtins(particulars)
        for path, steps in _PATHS[generation]:
            for value in _values_at(whole, steps):
                yield path, _as_json(value)


def _particulars(document: bytes, generation: Generation) -> Any:
    try:
        return _DECODERS[generation].decode(document)
    except msgspec.ValidationError:
        return None
    except msgspec.DecodeError:
        try:
            return _DECODERS[generation].decode(mended(document))
        except msgspec.DecodeError:
            return None


def _values_at(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    """Yield the values at the path *steps* below *value*; None where there is none."""
    if not steps:
        yield value
    elif steps[0] == "[]" and isinstance(value, list):
        for element in value:
            yield from _values_at(element, steps[1:])
    else:
        yield from _values_at(value.get(steps[0]) if isinstance(value, dict) else None, steps[1:])


def _as_json(value: Any) -> str:
    if isinstance(value, list | dict):
        return '"(a list)"' if isinstance(value, list) else '"(an object)"'
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return '"(a longer text)"'
    return msgspec.json.encode(value).decode()
