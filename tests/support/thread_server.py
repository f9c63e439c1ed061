"""A web server in a thread of the test, quiet about clients that break off."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any


class ThreadServer(ThreadingHTTPServer):
    daemon_threads = True
    state: Any
    """Whatever its handlers need to know."""

    def handle_error(self, request, client_address) -> None:
        pass


@contextmanager
def serving(server: ThreadServer) -> Generator[int, None, None]:
    """Answer requests during the block; give the port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
