"""Facts of an open model that is tuned on one's own machine: licence, size, chat template."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from saturi.schemas.model import AtLeastOne


class BaseModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One base model; a table of `base_models.toml`.

    Args:
        name: Name of the table, and short name of the model.
        id: Its name on the Hugging Face Hub.
        licence: Name of its licence there.
        licence_note: What the licence asks for, where it is none of the usual ones; empty else.
        parameters: Weights, embeddings included.
        vocabulary: Tokens that a logit is computed for.
        system_role: Whether its template has a turn for the instruction; else it stands before the user's first text.
        thinks: Whether its template has a part for thoughts before the answer.
        template_note: What else its template does; empty for nothing.
        llama_factory_template: Name of its template in LLaMA-Factory, or None where that one reads the model's own.
        source: Where these facts are from.
        not_verified: What none of the sources showed.
        as_of: When they were read.
    """

    name: str
    id: str
    licence: str
    licence_note: str = ""
    parameters: Annotated[float, Meta(gt=0)]
    vocabulary: AtLeastOne
    system_role: bool
    thinks: bool
    template_note: str = ""
    llama_factory_template: str | None = None
    source: str
    not_verified: str = ""
    as_of: date
