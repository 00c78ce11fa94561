"""The least that Flask can do with a POST: read it and answer 202. What the intake is measured against."""

from __future__ import annotations

from flask import Flask, request


def create_empty() -> Flask:
    """Made by the web server, as `create_app` is."""
    app = Flask("empty")

    @app.post("/webhooks/graph")
    def receive() -> tuple[str, int]:
        request.get_data(cache=False)
        return "", 202

    @app.get("/healthz")
    def healthz() -> str:
        return "alive"

    return app


def main(port: int) -> None:
    """As `pods web` serves, with as many threads."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from integration.commands.running import WEB_THREADS

    Granian(
        "benchmarks.empty_handler:create_empty",
        factory=True,
        interface=Interfaces.WSGI,
        address="127.0.0.1",
        port=port,
        workers=1,
        blocking_threads=WEB_THREADS,
        log_level=LogLevels.error,
        process_name=None,
    ).serve()


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]))
