"""A WSGI application on a real socket of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from devstack.ports import LOOPBACK


@contextmanager
def listening(application: Any) -> Iterator[str]:
    """Have an application answer at the URL inside the block."""
    server = make_server(LOOPBACK, 0, application, threaded=True, request_handler=_KeepingHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _KeepingHandler(WSGIRequestHandler):
    """Keeps connections open between requests, and says nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""
