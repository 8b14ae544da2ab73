"""An HTTP server in the benchmark's own process."""

import http.server
import threading
from typing import Self


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class LocalServer:
    """Listens on a free port while it is entered."""

    def handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        """The class that answers the requests."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        class Quiet(self.handler()):
            def log_message(self, *arguments: object) -> None:
                pass

        self.server = _Listener(("127.0.0.1", 0), Quiet)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"
