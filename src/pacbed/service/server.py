"""Starts the service: a socket, a token, and uvicorn."""

from __future__ import annotations

import json
import logging
import socket
import sys

import uvicorn

from pacbed.errors import bad_value
from pacbed.service.http.app import create_app
from pacbed.service.http.guard import Guard
from pacbed.service.pages.install import install_pages
from pacbed.service.seats import taken_seat, write_secret
from pacbed.service.settings import Settings
from pacbed.service.state import Service

BACKLOG = 512


def serve(settings: Settings) -> None:
    """Serve until the process is told to end; what runs then is finished.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    ParameterError
        The port is taken, or the host unknown.
    ConfigError
        More servers than `Settings.servers` would share the folder home, or something that cannot be shared.
    ServiceError
        The database or the counters cannot be used.
    """
    log_as_json()
    with _listening(settings) as listening, taken_seat(settings) as seat:
        service = Service(settings, seat.token, seat=seat.number)
        app = create_app(service)
        install_pages(app)
        port = listening.getsockname()[1]
        url = f"http://{_in_url(settings.host)}:{port}/"
        _tell(url, seat.token, settings)
        config = uvicorn.Config(
            Guard(app, service),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=settings.proxies,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=int(settings.limits.seconds) + 5,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _listening(settings: Settings) -> socket.socket:
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise bad_value("host, port", where, f"an address of this machine that is free ({error.strerror})") from None
    # asyncio leaves it off for a socket whose protocol number is 0, and answers then wait 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _tell(url: str, token: str, settings: Settings) -> None:
    """Say where the service is; the token is for the terminal and the file, never for the log."""
    address = f"{url}?token={token}"
    print(address, flush=True)
    if settings.token_file is not None:
        write_secret(f"{address}\n", settings.token_file)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class JsonLines(logging.Formatter):
    """A log line as JSON, with the request's id where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        line = {
            "time": round(record.created, 3),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "entry", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def log_as_json() -> None:
    """Send the log of this process to standard error, a line of JSON each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("alembic", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
