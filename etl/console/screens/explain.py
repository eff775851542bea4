"""What became of a label file, as a person sees it."""

from rich.console import Console
from rich.text import Text

from schemas.explanation import Explanation, Fate


def show_explanation(console: Console, found: Explanation) -> None:
    """Print what became of one label file, a line a step."""
    lines = [f"{found.archive}!{found.member}", f"  stage: segment {found.segment}"]
    if found.rejected is not None:
        where = "" if found.position is None else f" at byte {found.position:,}"
        lines.append(f"  rejected: {found.rejected}{where} ({found.detail})")
    elif not found.utterances:
        lines.append("  decoded: no utterance in it")
    else:
        lines.append(f"  decoded: {found.region}-{found.speech_type}, utterances: {len(found.utterances):,}")
        lines += [f"  key {place.key}: {place.side or 'as published'}" for place in found.keys]
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    for fate in found.utterances:
        _show_fate(console, fate)


def _show_fate(console: Console, fate: Fate) -> None:
    name = "whole file" if fate.sentence is None else f"sentence {fate.sentence}"
    console.print(Text(f"  {name}: {fate.split or 'on no side'}", "bold"), soft_wrap=True)
    if fate.source is not None or fate.target is not None:
        console.print(Text(f"    {fate.source or ''} → {fate.target or ''}"), soft_wrap=True)
    for rule in fate.passed:
        console.print(Text(f"    {rule}: passed", "dim"), soft_wrap=True)
    if fate.dropped is not None:
        console.print(Text(f"    {fate.dropped}: dropped", "red"), soft_wrap=True)
    else:
        console.print(Text(f"    {fate.chunk}, line {fate.line:,}", "green"), soft_wrap=True)
