"""Screen of `explain`: the way of a label file through a build."""

from rich.console import Console
from rich.text import Text

from schemas.explanation import Explanation, Fate


def show_explanation(console: Console, explanation: Explanation) -> None:
    """Print *explanation* on *console*, a line per step."""
    lines = [f"{explanation.archive}!{explanation.member}", f"  stage: segment {explanation.segment}"]
    if explanation.rejected is not None:
        where = "" if explanation.position is None else f" at byte {explanation.position:,}"
        lines.append(f"  rejected: {explanation.rejected}{where} ({explanation.detail})")
    elif not explanation.utterances:
        lines.append("  decoded: no utterance in it")
    else:
        lines.append(
            f"  decoded: {explanation.region}-{explanation.speech_type}, utterances: {len(explanation.utterances):,}"
        )
        lines += [f"  key {place.key}: {place.side or 'as published'}" for place in explanation.keys]
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    for fate in explanation.utterances:
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
