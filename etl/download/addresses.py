"""Addresses of AI-Hub's hosts, and where a redirect may lead: to those of the same site, encrypted as before."""

import httpx2

from saturi.etl.errors import OptionError, ProviderError
from saturi.etl.output.printable import printable

API, PORTAL = "https://api.aihub.or.kr", "https://aihub.or.kr"
_SITE = "aihub.or.kr"


def url_of(address: str) -> httpx2.URL:
    """
    Return *address* as a URL.

    Raises:
        OptionError: It is none, or holds a password.
    """
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL as error:
        raise OptionError("--base-url", f"no address ({error})", "give one like http://127.0.0.1:8080") from error
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        problem = "no address, or one with a password"
        raise OptionError("--base-url", problem, "give one like http://127.0.0.1:8080")
    return url


def redirect_target(address: str, location: str) -> str:
    """
    Return where *location*, the answer to a request to *address*, leads.

    Raises:
        ProviderError: To another site, or not encrypted as the request was.
    """
    first = url_of(address)
    try:
        target = first.join(location)
    except httpx2.InvalidURL:
        target = httpx2.URL("")
    own = _SITE if _is_below(first.host, _SITE) else first.host
    if target.scheme == first.scheme and not target.userinfo and _is_below(target.host, own):
        return str(target)
    shown = printable(target.host, 200) or "no address"
    problem = f"it redirects to {shown}, which is not {own} over {first.scheme}"
    raise ProviderError("AI-Hub", problem, "nothing was asked there; check the network, and its proxy")


def _is_below(host: str, site: str) -> bool:
    """Return whether *host* is *site*, or one of its hosts."""
    return host == site or host.endswith(f".{site}")
