"""A product whose issuer is the simulator, and browsers that walk from one to the other and back."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ADA = "ada.keller@pods.example"
LINUS = "linus.moreau@pods.example"
MALLORY = "mallory@pods.example"


@dataclass(frozen=True)
class Trip:
    """A browser that signs in by hand, so that tests can go wrong at every step."""

    app: Flask
    browser: FlaskClient

    def begin(self, next_page: str | None = None) -> str:
        """The address at the issuer."""
        answer = self.browser.get("/auth/start", query_string={"next": next_page} if next_page else {})
        assert answer.status_code == 302, answer.text
        return answer.location

    def choose(self, address: str, mail: str) -> str:
        """Path and query under which the issuer sends the browser back."""
        answer = httpx.get(f"{address}&person={mail}")
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        assert back.path == "/auth/callback"
        return f"{back.path}?{back.query}"

    def sign_in(self, mail: str, next_page: str | None = None) -> TestResponse:
        return self.browser.get(self.choose(self.begin(next_page), mail))

    def key(self) -> str | None:
        cookie = self.browser.get_cookie(self.app.config["SESSION_COOKIE_NAME"])
        return cookie.value if cookie else None


def parameters(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
