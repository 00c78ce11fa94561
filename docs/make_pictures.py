"""The pictures of the README: `python docs/make_pictures.py DEMO_OUT`, while `pods demo` serves its pages.

Takes the mails from DEMO_OUT/mail, the feedback page from the link in a mail, a mailbox page of the simulator, and
the administrator's pages after signing in.
"""

from __future__ import annotations

import base64
import email
import email.policy
import re
import shutil
import sys
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
TENANT = "http://127.0.0.1:8365"
PRODUCT = "http://127.0.0.1:8360"
TELEPHONE, DESK = 390, 1280


def main(demo_out: Path) -> None:
    """Write every picture; needs Chromium on PATH."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        summary = demo_out / "mail" / "weekly-summary.eml"
        for scheme in ("light", "dark"):
            _take(chromium, mail_page(summary), f"weekly-summary-{scheme}", width=640, scheme=scheme)
        _take(chromium, first_link(demo_out / "mail" / "feedback-request.html"), "feedback", width=TELEPHONE)
        _take(chromium, f"{TENANT}/people/{somebody()}", "mailbox", width=DESK)
        _take_inside(chromium, {"today": "/admin/", "plan": "/admin/plans/1", "leader": "/summary/1"})
        chromium.close()


def mail_page(eml: Path) -> str:
    """The HTML of a mail with its pictures inside, as an address that a browser opens."""
    mail = email.message_from_bytes(eml.read_bytes(), policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("html",))
    assert body is not None
    html = body.get_content()
    for part in mail.walk():
        if part.get_content_maintype() == "image":
            content = base64.b64encode(part.get_payload(decode=True) or b"").decode()  # type: ignore[arg-type]
            html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", f"data:image/png;base64,{content}")
    return "data:text/html;base64," + base64.b64encode(html.encode()).decode()


def first_link(mail: Path) -> str:
    """The first link of a mail that leads to its question, with a score chosen."""
    links = [unescape(link) for link in re.findall(r'href="([^"]+)"', mail.read_text(encoding="utf-8"))]
    return next(link for link in links if "score=4" in link)


def somebody() -> str:
    """The address of an employee of the simulated tenant."""
    people = httpx.get(f"{TENANT}/control/people").raise_for_status().json()
    return sorted(person["mail"] for person in people if person["kind"] == "person")[0]


def _take(chromium: Browser, address: str, name: str, *, width: int, scheme: str = "light") -> None:
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    page.close()


def _take_inside(chromium: Browser, paths: dict[str, str]) -> None:
    """Pages behind the sign-in, as the tenant's administrator sees them."""
    page = chromium.new_page(viewport={"width": DESK, "height": 800})
    page.goto(f"{PRODUCT}/auth/start?next=/admin/")
    page.get_by_text("Administrator", exact=True).locator("xpath=ancestor::*[.//a][1]//a").first.click()
    for name, path in paths.items():
        page.goto(PRODUCT + path)
        page.screenshot(path=PICTURES / f"{name}.png", clip={"x": 0, "y": 0, "width": DESK, "height": 800})
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
