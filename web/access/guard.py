"""Access control: host names, tokens, cross-site requests, and security headers.

| asked from | needs |
|---|---|
| this machine, a server on loopback | a Host that names this machine, as no rebound DNS name does, or `--address` |
| anywhere, a server on another address | the token: in the address once, then as a cookie; or `Authorization: Bearer` |
| a page of another site, any change | refused by `Sec-Fetch-Site` or `Origin`, and by a header no form can send |
"""

import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from reports.languages.current import gettext as _
from reports.languages.sentences import translated
from web.access.proxy import Front, host_of, hosts_of, link_root, own_path

log = logging.getLogger(__name__)

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
    front: Front = field(default_factory=Front)
    """How browsers name the site."""

    async def __call__(self, request: Request, answer: Next) -> Response:
        """Refuse a request, or pass it on; every response gets the same headers."""
        response = self.refusal(request) or self.welcome(request) or await answer(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def refusal(self, request: Request) -> Response | None:
        """Why a request is not answered; None if it is."""
        if self.token is None and host_name(request) not in {*LOOPBACK_NAMES, urlsplit(self.front.origin).hostname}:
            log.warning("refused a request for the host %r", host_name(request))
            return PlainTextResponse(
                _(
                    "This site answers to localhost only, and was asked for as %(host)s. Behind a proxy, start it with "
                    "--address and what browsers open, such as --address https://factory.example; for other machines "
                    "without a proxy, with --host.",
                    host=repr(host_name(request)),
                ),
                403,
            )
        if self.token is not None and not any(same(given, self.token) for given in tokens_of(request, self.token)):
            log.warning("refused a request without the token")
            return PlainTextResponse(_("The token is missing or wrong: open the address that musc web printed."), 403)
        if request.method not in READING and (reason := foreign(request, self.front)):
            log.warning("refused a change: %s", reason)
            return PlainTextResponse(_("Refused: %(reason)s. Nothing was stored.", reason=translated(reason)), 403)
        return None

    def welcome(self, request: Request) -> Response | None:
        """Put the token of an address into a cookie and go on without it in the address."""
        token = request.query_params.get("token")
        if self.token is None or token is None or request.method not in READING:
            return None
        query = urlencode([pair for pair in request.query_params.multi_items() if pair[0] != "token"])
        page = link_root(request) + quote(own_path(request).lstrip("/"))
        response = RedirectResponse(page + (f"?{query}" if query else ""), 303)
        secure = request.url.scheme == "https"
        response.set_cookie(cookie_of(self.token), token, httponly=True, samesite="lax", secure=secure)
        return response


def cookie_of(token: str) -> str:
    """The cookie that carries a token, named by it: browsers send a host's cookies to every port and path of it."""
    return f"musc-token-{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def tokens_of(request: Request, token: str) -> list[str]:
    """Every token a request carries."""
    bearer = request.headers.get("authorization", "")
    sent = (request.cookies.get(cookie_of(token)), request.query_params.get("token"), bearer.removeprefix("Bearer "))
    return [token for token in sent if token]


def same(first: str, second: str) -> bool:
    """Compare secrets in a time that does not tell how much of them agrees."""
    return hmac.compare_digest(first.encode(), second.encode())


def foreign(request: Request, front: Front) -> str:
    """Why a change cannot come from a page of this site; empty if it can.

    Browsers say by `Sec-Fetch-Site`, which no page can set, whether a page asks for its own site under the name that
    they know; only where they leave it out, over plain HTTP, names are compared.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in (None, "same-origin"):
        return "the request comes from a page of another site"
    if site is None and origin is not None and host_of(origin) not in hosts_of(request, front):
        return (
            f"the request comes from a page at {origin}, but asks for the host {request.headers.get('host', '')}: "
            f"that is another site, or a proxy changes Host, and the site must be started with --address {origin}"
        )
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
