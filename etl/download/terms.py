"""Terms of use of AI-Hub's data, which are shown before anything is downloaded, and agreed to once for a folder."""

import hashlib

TERMS = (
    "The data is AI-Hub's (한국지능정보사회진흥원, NIA). You download it as yourself, with your own key and your own approval for",
    "each data set, for the purpose that you named when you applied. It may not leave Korea, nor be given or shown to anybody",
    "else, without the agreement of NIA. Works made from it name it as their source. Whoever finds personal data in it reports",
    "that and deletes what was downloaded. AI-Hub sends no data abroad; to get around that breaks its terms.",
)
"""In short; the whole text is at aihub.or.kr (이용정책)."""


def terms_hash() -> str:
    """Return the hash by which an agreement to these terms is remembered."""
    return hashlib.sha256("\n".join(TERMS).encode()).hexdigest()
