"""URLs with secrets are refused, and the refusal does not repeat them."""

import pytest

from storage.secrets import require_no_secret

SECRET = "wJalr/XUtn+FEMI"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"s3://AKIA:{SECRET}@bucket/store", "got s3…"),
        (f"simplecache::s3://AKIA:{SECRET}@bucket", "got simplecache::s3…"),
        (f"sftp://me:{SECRET}@host/lots", "got sftp…"),
        (f"https://bucket.example/lots?X-Amz-Signature={SECRET}", "got https://bucket.example/lots…"),
        (f"https://host/lots?sv=2&sig={SECRET}", r"got https://host/lots\?sv=2…"),
        (f"https://host/lots?access_token={SECRET}", "got https://host/lots…"),
    ],
)
def test_secret_is_refused_and_not_shown(url: str, shown: str) -> None:
    with pytest.raises(ValueError, match=f"output must not hold a password, key or signature.*{shown}") as refused:
        require_no_secret("output", url)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "musc-results",
        "/data/a:b@c/lots",
        "s3://bucket/store",
        "s3://bucket/lot@night",
        "http://127.0.0.1:9000/lots@night",
        "tcp://10.0.0.5:8786",
        "abfs://container@account.dfs.core.windows.net/lots",
        "https://host/lots?version=3",
        r"C:\lots",
    ],
)
def test_places_without_secrets_are_accepted(url: str) -> None:
    require_no_secret("output", url)
