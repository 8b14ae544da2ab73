"""A package index on the loopback, whose packages run code of a test's own while they are installed."""

import http.server
import io
import socket
import tarfile
import threading

# A build backend in the package itself, so that building it needs nothing else from an index.
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'

BACKEND = '''
import base64, hashlib, os, zipfile

NAME = {name!r}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    attack()
    wheel = f"{{NAME.replace('-', '_')}}-1.0-py3-none-any.whl"
    info = f"{{NAME.replace('-', '_')}}-1.0.dist-info"
    files = {{
        NAME.replace("-", "_") + ".py": "",
        info + "/METADATA": f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: 1.0\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        info + "/RECORD": "",
    }}
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def attack():
{code}
'''


class PackageIndex:
    """Serves `/simple/<name>/` for the packages that were added; counts the requests."""

    def __init__(self):
        self.archives = {}
        self.requests = []
        index = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                index.requests.append(self.path)
                status, kind, body = index.response(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_CONNECT = do_GET

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/simple"

    def add(self, name, code):
        """A package whose installation runs the lines of `code`."""
        body = "\n".join("    " + line for line in code.strip().split("\n"))
        files = {"pyproject.toml": PYPROJECT, "backend.py": BACKEND.format(name=name, code=body),
                 "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"}
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for path, content in files.items():
                member = tarfile.TarInfo(f"{name}-1.0/{path}")
                member.size = len(content.encode())
                tar.addfile(member, io.BytesIO(content.encode()))
        self.archives[name] = archive.getvalue()

    def response(self, path):
        parts = path.strip("/").split("/")
        if len(parts) == 2 and parts[0] == "simple" and parts[1] in self.archives:
            name = parts[1]
            return 200, "text/html", f'<a href="/files/{name}-1.0.tar.gz">{name}-1.0.tar.gz</a>'.encode()
        name = parts[-1].removesuffix("-1.0.tar.gz")
        if len(parts) == 2 and parts[0] == "files" and name in self.archives:
            return 200, "application/gzip", self.archives[name]
        return 404, "text/plain", b""

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Listener:
    """A service of the host that nothing may reach: counts who does."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def stop(self):
        self.socket.close()
