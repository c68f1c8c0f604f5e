"""What axe-core finds wrong with a page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def serious(page: Page) -> dict[str, list[str]]:
    """Serious and critical faults: the first elements of each, by its name."""
    faults = Axe().run(page).response["violations"]
    return {
        fault["id"]: [node["html"] for node in fault["nodes"]][:3]
        for fault in faults
        if fault["impact"] in ("serious", "critical")
    }
