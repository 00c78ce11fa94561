"""Chromium for tests, and what every page is looked at for. The fixture is loaded with ``pytest_plugins``."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from cheroot.wsgi import Server
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = os.environ.get("PICTURES")  # a folder to keep what was seen


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application on a free port of this machine, by its address."""
    server = Server(("127.0.0.1", 0), app)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:  # a thread that goes on serving would keep a test that failed from ending
        server.stop()
        thread.join()


@pytest.fixture
def address(site: Any) -> Iterator[str]:
    """Where a browser finds the ``site`` of a test."""
    with served(site.app) as url:
        yield url


def follow(page: Page, link_or_button: Locator) -> None:
    """Click, and wait for the page that it leads to: a click alone returns while the old one may still be there."""
    with page.expect_navigation():
        link_or_button.click()


def faults(page: Page) -> list[str]:
    """What axe finds, by the names of its rules."""
    return [violation["id"] for violation in Axe().run(page).response["violations"]]


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def keep(page: Page, name: str) -> None:
    """A picture of the whole page, where somebody wants them."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name.replace('?', '-')}.png"), full_page=True)
