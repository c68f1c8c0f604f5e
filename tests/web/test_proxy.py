"""The site behind what companies have in front of it: other Host headers, paths, several sites on one host, nginx."""

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest
import uvicorn
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, expect

from storage.results.verdict_reader import read_verdicts
from storage.store import Store
from tests.chromium import chromium
from tests.web.visiting import OWN
from web.access.proxy import Front, front_of
from web.app import create_app
from web.serve import SiteAddress, listening

ROOT = Path(__file__).resolve().parents[2]
TOKENS = ("a-token-of-the-first-site", "a-token-of-the-other-site")
NAME = "review.test"
LINES = re.search(r"```nginx\n(.*?)```", (ROOT / "docs" / "review.md").read_text("utf-8"), re.DOTALL)


def client_of(store: Store, front: Front, base: str = "http://localhost") -> TestClient:
    return TestClient(create_app(store, front=front), base_url=base, follow_redirects=False)


@pytest.mark.parametrize(
    ("front", "prefix", "sent"),
    [
        (Front(), "", {}),
        (Front(root="/review"), "", {}),
        (Front(root="/review"), "/review", {}),
        (Front(), "/review", {"X-Forwarded-Prefix": "/review/"}),
        (Front(), "", {"X-Forwarded-Prefix": "/review"}),
    ],
)
def test_no_link_leaves_the_path_of_a_proxy(
    store: Store, lot_name: str, image_ids: list[str], front: Front, prefix: str, sent: dict[str, str]
) -> None:
    client, image = client_of(store, front), f"/lots/{lot_name}/images/{image_ids[0]}"
    for page in ("/", f"/lots/{lot_name}", f"/lots/{lot_name}?view=table", image, "/nowhere/at/all"):
        answer = client.get(prefix + page, headers=sent)
        assert answer.status_code == (404 if "nowhere" in page else 200)
        shown = f"https://factory.example/review{page}"
        links = re.findall(r'(?:href|src|data-base|data-lot|data-scores)="([^"]*)"', answer.text)
        assert links
        targets = [urljoin(shown, link) for link in links]
        assert [one for one in targets if not one.startswith("https://factory.example/review/")] == []
        parts = [one.removeprefix("https://factory.example/review").split("#")[0] for one in targets]
        files = [one for one in parts if not re.search(r"/images/[^/]+$|^/nowhere", one)]
        assert [one for one in files if client.get(prefix + one, headers=sent).status_code != 200] == []


@pytest.mark.parametrize("root", ["//evil.example", "/..", "/a/../b", "review", "/a b", "/<b>"])
def test_prefixes_that_are_no_path_are_left_alone(client: TestClient, root: str) -> None:
    assert 'href="./static/site.css"' in client.get("/", headers={"X-Forwarded-Prefix": root}).text


@pytest.mark.parametrize(
    ("front", "location"), [(Front(), "../lots/x?view=table"), (Front(root="/r"), "/r/lots/x?view=table")]
)
def test_token_in_the_address_stays_below_the_path(store: Store, front: Front, location: str) -> None:
    guarded = TestClient(create_app(store, TOKENS[0], front=front), base_url="http://f", follow_redirects=False)
    assert guarded.get(f"/lots/x?view=table&token={TOKENS[0]}").headers["location"] == location


def test_cookies_of_two_sites_on_one_host_keep_apart(store: Store) -> None:
    first = TestClient(create_app(store, TOKENS[0]), base_url="http://factory:8420")
    other = TestClient(create_app(store, TOKENS[1]), base_url="http://factory:8421")
    for site, token in ((first, TOKENS[0]), (other, TOKENS[1])):
        site.cookies.update(first.cookies)  # a browser sends a host's cookies to every port
        assert site.get(f"/?token={token}").status_code == 200
    first.cookies.update(other.cookies)
    assert [site.get("/").status_code for site in (first, other)] == [200, 200]


TOLD = front_of("http://review.test/", "")


@pytest.mark.parametrize(
    ("front", "sent", "status"),
    [
        (Front(), {"Host": "127.0.0.1:8420", "Origin": "https://review.test", "Sec-Fetch-Site": "same-origin"}, 201),
        (Front(), {"Host": "127.0.0.1:8420", "Origin": "http://review.test"}, 403),
        (Front(), {"Host": "127.0.0.1:8420", "Origin": "http://review.test", "X-Forwarded-Host": "review.test"}, 201),
        (Front(), {"Host": "127.0.0.1:8420", "Origin": "http://evil.test", "X-Forwarded-Host": "review.test"}, 403),
        (Front(), {"Host": "review.test", "Origin": "http://review.test"}, 403),
        (TOLD, {"Host": "127.0.0.1:8420", "Origin": "http://review.test"}, 201),
        (TOLD, {"Host": "review.test", "Origin": "http://review.test"}, 201),
        (TOLD, {"Host": "review.test:80", "Origin": "http://REVIEW.test"}, 201),
        (TOLD, {"Host": "evil.test", "Origin": "http://review.test"}, 403),
        (TOLD, {"Host": "review.test", "Origin": "http://evil.test"}, 403),
        (TOLD, {"Host": "review.test", "Origin": "http://review.test", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_changes_come_through_a_proxy_and_from_no_other_site(
    store: Store, lot_name: str, image_ids: list[str], front: Front, sent: dict[str, str], status: int
) -> None:
    client = client_of(store, front)
    body = json.dumps({"verdict": "good", "name": "Ada"})
    address = f"/lots/{lot_name}/images/{image_ids[0]}/verdicts"
    answer = client.post(address, content=body, headers={**OWN, **sent})
    assert answer.status_code == status
    if status == 403 and "evil" not in str(sent) and "cross" not in str(sent):
        assert "--address" in answer.text, "it says what to set"


@pytest.mark.parametrize(
    ("address", "root", "origin", "path"),
    [
        ("", "", "", ""),
        ("https://factory.example/", "", "https://factory.example", ""),
        ("http://factory.example:8080/a/b/", "/a/b", "http://factory.example:8080", "/a/b"),
        ("", "/review/", "", "/review"),
    ],
)
def test_address_and_path_are_understood(address: str, root: str, origin: str, path: str) -> None:
    assert front_of(address, root) == Front(origin, path)


@pytest.mark.parametrize(
    ("address", "root", "said"),
    [
        ("factory.example", "", "address must be http:// or https:// with a host"),
        ("https://Ada:secret@factory.example", "", "got https://…@factory.example; give"),
        ("https://factory.example/?token=x", "", "address must be"),
        ("", "review", "root-path must begin with /"),
        ("", "/a/../b", "root-path must begin with /"),
        ("", "/static", "must not begin with /lots or /static"),
        ("https://factory.example/a", "/b", "root-path must be the path of address, got /b and /a"),
    ],
)
def test_addresses_that_cannot_be_are_refused(address: str, root: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        front_of(address, root)


def test_address_for_all_machines_can_be_opened() -> None:
    for host in ("0.0.0.0", "::"):
        address = SiteAddress(host, 8420, "token-of-sixteen-signs").address
        assert re.fullmatch(r"http://(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):8420/", address)
        assert "//0.0.0.0" not in address
        assert "[::]" not in address
    assert SiteAddress("127.0.0.1", 9000, None, Front(root="/review")).address == "http://127.0.0.1:9000/review/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium that finds `review.test` here, over plain HTTP as any name of a factory's own network."""
    with chromium(f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as running:
        yield running


def free_port() -> int:
    with listening(SiteAddress("127.0.0.1", 0, None)) as one:
        return int(one.getsockname()[1])


@contextmanager
def nginx(folder: Path, lines: str, port: int) -> Iterator[None]:
    """nginx with these lines in its one server, in the foreground, all of its files in a folder."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx-light)")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    server = f"server {{ listen 127.0.0.1:{port}; server_name {NAME};\n{lines}}}\n"
    whole = f"daemon off;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{server}}}\n"
    (folder / "nginx.conf").write_text(whole)
    words = [program, "-e", f"{folder}/errors", "-c", f"{folder}/nginx.conf"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(100):
                with socket.socket() as one:
                    if one.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


@contextmanager
def served(store: Store, front: Front) -> Iterator[int]:
    """The port of a site that a thread serves."""
    with listening(SiteAddress("127.0.0.1", 0, None)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(store, front=front), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:  # also where a test is skipped, as nginx is not installed
            server.should_exit = True
            thread.join(10)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/review", ("as they are", "")),
        ("", ("location /review/", "location /")),
        ("/review", ("8420/;", "8420;")),  # the path is passed on
    ],
)
def test_site_works_behind_the_nginx_lines_of_the_docs(
    browser: Browser, store: Store, lot_name: str, tmp_path: Path, path: str, change: tuple[str, str]
) -> None:
    assert LINES is not None
    outside = free_port()
    public = f"http://{NAME}:{outside}{path}"
    with served(store, front_of(public, "")) as inside:
        lines = LINES[1].replace(*change).replace("8420", str(inside))
        with nginx(tmp_path, lines, outside):
            page, failed = browser.new_page(), []
            page.on("response", lambda got: failed.append(got.url) if got.status >= 400 else None)
            page.goto(f"{public}/")
            expect(page.locator("#proxy")).to_be_hidden()
            page.locator(".night").last.click()
            page.locator(".tile a").first.click()
            expect(page.locator("#matches figure")).not_to_have_count(0)
            page.get_by_label("Your name").fill("Ada")
            page.get_by_role("button", name="Good").click()
            expect(page.locator("#said")).to_contain_text("good. Ctrl-Z undoes.")
            page.goto(f"{public}/lots/{lot_name}/report")
            page.get_by_role("link", name="this lot").click()
            expect(page.locator("h1")).to_contain_text("of 20 images")
            assert page.url == f"{public}/lots/{lot_name}"
            assert failed == []
    assert read_verdicts(store, f"runs/{lot_name}")["verdict"].tolist() == ["good"]


def test_first_page_says_what_to_set_where_nginx_changes_host_over_plain_http(
    browser: Browser, store: Store, lot_name: str, image_ids: list[str], tmp_path: Path
) -> None:
    outside = free_port()
    for front, is_told in ((Front(), True), (front_of(f"http://{NAME}:{outside}", ""), False)):
        with (
            served(store, front) as inside,
            nginx(tmp_path, f"location / {{ proxy_pass http://127.0.0.1:{inside}; }}", outside),
        ):
            page = browser.new_page()
            page.goto(f"http://{NAME}:{outside}/lots/{lot_name}/images/{image_ids[0]}")
            if is_told:
                expect(page.locator("#proxy")).to_contain_text(f"with --address http://{NAME}:{outside}/, or")
            else:
                expect(page.locator("#proxy")).to_be_hidden()
            page.get_by_label("Your name").fill("Ada")
            page.get_by_role("button", name="Good").click()
            expect(page.locator("#said")).to_contain_text("--address" if is_told else "Stored: good.")
