"""Facts of a model that can be fine-tuned: its limits, its price, its shutdown date."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

AtLeastOne = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Price = Annotated[float, Meta(ge=0, le=1_000_000)]  # neither NaN, which passes every limit on costs, nor infinity


class EpochRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The range of epochs of a job, and the default for a job that gives no number.

    The default is `usual` epochs; more, where examples x epochs would be below `fewest_examples`, and fewer, where they
    would be above `most_examples` (OpenAI's "Data preparation and analysis for chat model fine-tuning").

    Args:
        least, most: The range of `n_epochs`.
        usual: Epochs in between.
        usual_most: Most epochs of the default.
        fewest_examples, most_examples: Range of examples x epochs.
    """

    least: AtLeastOne = 1
    most: AtLeastOne = 50
    usual: AtLeastOne = 3
    usual_most: AtLeastOne = 25
    fewest_examples: AtLeastOne = 100
    most_examples: AtLeastOne = 25_000

    def default(self, examples: int) -> int:
        """Return the epochs of a job on this number of *examples* that gives no number of epochs."""
        if 0 < examples * self.usual < self.fewest_examples:
            return min(self.usual_most, self.fewest_examples // examples)
        if examples * self.usual > self.most_examples:
            return max(self.least, self.most_examples // examples)
        return self.usual


class AnswerPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens of a chat: those that go in, and those that come out."""

    input: Price
    output: Price


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One base model; a table of `models.toml`.

    Args:
        name: Name of the table, without the date of a snapshot.
        providers: Names of the providers that train it.
        tokenizer: `o200k_base`, whose tokens are counted exactly; None for any other.
        max_example_tokens: Tokens after which an example is cut, or None if not known.
        usd_per_million_tokens: Price of training in US dollars, or None if not known.
        answers: Price of asking it, or None where that is not known.
        tuned_answers: Price of asking a tune of it, likewise.
        shutdown_date: The day from which it and all models tuned from it are shut down, or None.
        epochs: Rule for its epochs.
        source: Source of the facts of this row.
        as_of: Date on which the facts were last verified.
    """

    name: str
    providers: tuple[str, ...]
    tokenizer: str | None = None
    max_example_tokens: AtLeastOne | None = None
    usd_per_million_tokens: Price | None = None
    answers: AnswerPrice | None = None
    tuned_answers: AnswerPrice | None = None
    shutdown_date: date | None = None
    epochs: EpochRule = EpochRule()
    source: str
    as_of: date
