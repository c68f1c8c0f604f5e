"""Refuse passwords and signatures in paths and URLs, which are written to records, logs and tables."""

import re

USER_AND_PASSWORD = re.compile(r"://[^/@\s]*:(?!\d+(/|$))[^@\s]*@")
"""As in `s3://key:secret@bucket` and `https://user:password@host`; a number up to a slash is a port."""
SIGNATURE = re.compile(r"[?&][^=&]*(signature|credential|token|secret|password|sig|key)[^=&]*=", re.IGNORECASE)
"""As in a presigned URL."""


CREDENTIALS = "give credentials in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


def require_no_secret(option: str, url: str, instead: str = CREDENTIALS) -> None:
    """Refuse a path or URL that holds a password or a signature, without repeating it.

    Raises:
        ValueError: naming the option; of the URL only what precedes the secret is shown.
    """
    if "://" not in url:  # names of local folders may be anything
        return
    match = USER_AND_PASSWORD.search(url) or SIGNATURE.search(url)
    if match:
        raise ValueError(
            f"{option} must not hold a password, key or signature, as it is written into records and logs, got "
            f"{url[: match.start()]}…; {instead}"
        )
