"""What is monitored, and who is told: answers GET with 200, or 503 while /tmp/down is there; prints what is POSTed."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class World(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        self.send_response(503 if Path("/tmp/down").exists() else 200)  # noqa: S108  # of its container
        self.end_headers()

    def do_POST(self) -> None:
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


ThreadingHTTPServer(("", 8000), World).serve_forever()
