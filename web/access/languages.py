"""In which language a request is answered: the one chosen on a page, that of `--language`, or the browser's."""

from urllib.parse import urlencode

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reports.languages.catalogue import NAMES, TAGS
from reports.languages.current import speaking
from storage.results.run_files import Language
from web.access.proxy import link_root

PARAMETER = "language"
COOKIE_NAME = "musc-language"
SECONDS_KEPT = 365 * 24 * 3600
MAX_ACCEPTED = 20
"""Languages of one header that are looked at."""


class Languages:
    """Answers each request in its language."""

    def __init__(self, app: ASGIApp, usual: Language | None = None) -> None:
        """Pass requests on to `app`; `usual` is spoken unless another is chosen on a page, whatever browsers accept."""
        self.app, self.usual = app, usual

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        with speaking(chosen(request) or kept(request) or self.usual or accepted(request)):
            await self.app(scope, receive, send)


def chosen(request: Request) -> Language | None:
    """The language that an address names; None for none, or one that there is not."""
    return known(request.query_params.get(PARAMETER, ""))


def kept(request: Request) -> Language | None:
    """The language that was chosen before."""
    return known(request.cookies.get(COOKIE_NAME, ""))


def known(code: str) -> Language | None:
    """A language by its code."""
    return next((one for one in NAMES if one == code), None)


def accepted(request: Request) -> Language:
    """The language that a browser accepts most gladly, of equal ones the first; English if there is none of them."""
    return preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> Language:
    """The language that an Accept-Language header asks for (RFC 9110); what cannot be read counts as nothing.

    >>> preferred("fr, de-CH;q=0.9, en;q=0.8"), preferred("zh-CN"), preferred("fr"), preferred("de;q=0, en;q=x")
    ('de', 'zh', 'en', 'en')
    """
    best, best_weight = None, 0.0
    for part in header.split(",")[:MAX_ACCEPTED]:
        tag, *parameters = (piece.strip() for piece in part.split(";"))
        code = known(tag.split("-")[0].lower())
        if code and (weight := weight_of(parameters)) > best_weight:
            best, best_weight = code, weight
    return best or "en"


def weight_of(parameters: list[str]) -> float:
    """How gladly a language is accepted, from 0 to 1."""
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name.strip().lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0


def keep_choice(request: Request, response: Response) -> None:
    """Have the browser keep the language that an address names."""
    if code := chosen(request):
        secure = request.url.scheme == "https"
        root = link_root(request)
        path = root if root.startswith("/") else "/"
        response.set_cookie(
            COOKIE_NAME, code, max_age=SECONDS_KEPT, path=path, secure=secure, httponly=True, samesite="lax"
        )


def choices(request: Request) -> list[tuple[str, str, str]]:
    """What leads from a page to the same one in each language: its tag, its name, and the query of the address."""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in (PARAMETER, "token")]
    return [(TAGS[code], NAMES[code], urlencode([*pairs, (PARAMETER, code)])) for code in NAMES]
