"""Headless Chromium as the system ships it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """A browser that ends with the `with` block; the test is skipped where Chromium is not installed.

    Meanwhile an event loop runs in this thread, which would disturb flows of Prefect. To start a browser takes three
    times as long as to open a page in a context of its own, which shares nothing with others either.

    Args:
        options: of Chromium's command line.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *options])
        yield running
        running.close()
