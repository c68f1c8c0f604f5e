"""Access control: host names, tokens, cross-site requests, and security headers.

| asked from | needs |
|---|---|
| this machine, a server on loopback | a Host header that names this machine (no rebound DNS name does) |
| anywhere, a server on another address | the token: in the address once, then as a cookie; or `Authorization: Bearer` |
| a page of another site, any change | refused by `Sec-Fetch-Site`, `Origin`, and a header no form can send |
"""

import hmac
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

log = logging.getLogger(__name__)

COOKIE = "musc-token"
OWN_HEADER, OWN_VALUE = "X-Requested-With", "musc"
"""Sent with every change. A foreign page cannot send it without asking first, and is never allowed."""
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
READING = ("GET", "HEAD")
POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Next = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Access:
    """Middleware that refuses strangers' requests and sets security headers."""

    token: str | None
    """What every request must carry; None for a server on loopback."""

    async def __call__(self, request: Request, answer: Next) -> Response:
        """Refuse a request, or pass it on; every response gets the same headers."""
        response = self.refusal(request) or self.welcome(request) or await answer(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def refusal(self, request: Request) -> Response | None:
        """Why a request is not answered; None if it is."""
        if self.token is None and host_name(request) not in LOOPBACK_NAMES:
            log.warning("refused a request for the host %r", host_name(request))
            return PlainTextResponse("This site answers to localhost only; start it with --host for others.", 403)
        if self.token is not None and not any(same(given, self.token) for given in tokens_of(request)):
            log.warning("refused a request without the token")
            return PlainTextResponse("The token is missing or wrong: open the address that musc web printed.", 403)
        if request.method not in READING and (reason := foreign(request)):
            log.warning("refused a change: %s", reason)
            return PlainTextResponse(f"Refused: {reason}. Nothing was stored; reload the page.", 403)
        return None

    def welcome(self, request: Request) -> Response | None:
        """Put the token of an address into a cookie and go on without it in the address."""
        given = request.query_params.get("token")
        if self.token is None or given is None or request.method not in READING:
            return None
        rest = urlencode([pair for pair in request.query_params.multi_items() if pair[0] != "token"])
        response = RedirectResponse(request.url.path + (f"?{rest}" if rest else ""), 303)
        response.set_cookie(COOKIE, given, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        return response


def tokens_of(request: Request) -> list[str]:
    """Every token a request carries."""
    bearer = request.headers.get("authorization", "")
    places = (request.cookies.get(COOKIE), request.query_params.get("token"), bearer.removeprefix("Bearer "))
    return [place for place in places if place]


def same(given: str, known: str) -> bool:
    """Compare secrets in a time that does not tell how much of them agrees."""
    return hmac.compare_digest(given.encode(), known.encode())


def foreign(request: Request) -> str:
    """Why a change cannot come from a page of this site; empty if it can."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in (None, "same-origin"):
        return "the request comes from a page of another site"
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return "the request comes from a page of another site"
    if request.headers.get(OWN_HEADER) != OWN_VALUE:
        return f"the header {OWN_HEADER} is missing"
    return ""


def host_name(request: Request) -> str:
    """The host a request names, without its port."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
