"""Screen of `explain`: the way of a label file through a build."""

from rich.console import Console

from saturi.etl.console.lines import print_line
from saturi.schemas.explanation import Explanation, Fate


def show_explanation(console: Console, explanation: Explanation) -> None:
    """Print what became of one label file, a line a step."""
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
        print_line(console, line)
    for fate in explanation.utterances:
        _show_fate(console, fate)


def _show_fate(console: Console, fate: Fate) -> None:
    name = "whole file" if fate.sentence is None else f"sentence {fate.sentence}"
    print_line(console, f"  {name}: {fate.split or 'on no side'}", "bold")
    if fate.source is not None or fate.target is not None:
        print_line(console, f"    {fate.source or ''} → {fate.target or ''}")
    for rule in fate.passed:
        print_line(console, f"    {rule}: passed", "dim")
    if fate.dropped is not None:
        print_line(console, f"    {fate.dropped}: dropped", "red")
    else:
        print_line(console, f"    {fate.chunk}, line {fate.line:,}", "green")
