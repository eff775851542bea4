"""What is known of a model that can be fine-tuned: its limits, its price, and how long it lives."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

AtLeastOne = Annotated[int, Meta(ge=1)]
Price = Annotated[float, Meta(ge=0, le=1_000_000)]  # neither NaN, which no limit on costs stops, nor infinity


class EpochRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    How many epochs a job may ask for, and how many it gets when it asks for none.

    The default is `usual` epochs, but as many more as it takes to see `fewest_examples` in all, and as many fewer as it
    takes to see no more than `most_examples` (OpenAI's "Data preparation and analysis for chat model fine-tuning").

    Args:
        least, most: The range of `n_epochs`.
        usual: Epochs where the number of examples asks for no other.
        usual_most: Most epochs that the rule gives by itself.
        fewest_examples, most_examples: Examples x epochs that the rule stays between where it can.
    """

    least: AtLeastOne = 1
    most: AtLeastOne = 50
    usual: AtLeastOne = 3
    usual_most: AtLeastOne = 25
    fewest_examples: AtLeastOne = 100
    most_examples: AtLeastOne = 25_000

    def default(self, examples: int) -> int:
        """Return the epochs of a job with so many *examples* that asks for no number."""
        if 0 < examples * self.usual < self.fewest_examples:
            return min(self.usual_most, self.fewest_examples // examples)
        if examples * self.usual > self.most_examples:
            return max(self.least, self.most_examples // examples)
        return self.usual


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One base model; a table of `models.toml`.

    Args:
        name: The table's name, without the date of a snapshot.
        providers: Names of the providers that train it.
        tokenizer: `o200k_base`, the one counted exactly; None for any other.
        max_example_tokens: Tokens after which an example is cut, or None where that is not known.
        usd_per_million_tokens: Price of training, or None where that is not known.
        shutdown_date: The day from which it and every tune of it answer no more, or None.
        epochs: The rule of its epochs.
        source: Where the facts of this row are from.
        as_of: When they were last looked at.
    """

    name: str
    providers: tuple[str, ...]
    tokenizer: str | None = None
    max_example_tokens: AtLeastOne | None = None
    usd_per_million_tokens: Price | None = None
    shutdown_date: date | None = None
    epochs: EpochRule = EpochRule()
    source: str
    as_of: date
