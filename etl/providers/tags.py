"""Tags: the key of a job and the number of an attempt as one short name, where a provider keeps no metadata but a name."""

import base64
import binascii
import re
from collections.abc import Mapping

KEY = "saturi_key"
ATTEMPT = "saturi_attempt"
"""Names in a job's metadata; the values are the key of the job, 64 hexadecimal digits, and the number of the attempt, from 1."""

_TAG = re.compile(r"saturi-([a-z2-7]{52})-([1-9][0-9]{0,8})")
_PADDING = "===="  # 32 bytes are 52 characters of base32, and 4 that mean nothing


def tag_of(metadata: Mapping[str, str]) -> str:
    """Return the tag of a job with *metadata*: small letters, digits and hyphens, some 61 of them."""
    key = base64.b32encode(bytes.fromhex(metadata[KEY])).decode().rstrip("=").lower()
    return f"saturi-{key}-{metadata[ATTEMPT]}"


def metadata_of(name: str | None) -> dict[str, str]:
    """Return the metadata of which *name* is the tag; nothing where it is none."""
    match = _TAG.fullmatch(name or "")
    if match is None:
        return {}
    try:
        key = base64.b32decode(match[1].upper() + _PADDING)
    except binascii.Error:
        return {}
    return {KEY: key.hex(), ATTEMPT: match[2]}
