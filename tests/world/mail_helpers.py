"""The two small answerers that the mail programs ask: where does this domain go, and is this token good?"""

from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote


class _Threaded(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Routes:
    """Postfix's transport table over tcp_table(5): what is set here holds from the next mail on."""

    def __init__(self, port: int) -> None:
        self.table: dict[str, str] = {}
        table = self.table

        class Answerer(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    key = unquote(line.decode("utf-8", "replace").strip().removeprefix("get "))
                    found = table.get(key.rpartition("@")[2].lower())
                    self.wfile.write(f"200 {found}\n".encode() if found else b"500 not found\n")

        self._server = _Threaded(("127.0.0.1", port), Answerer)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class Tokens:
    """Gives out access tokens for refresh tokens (RFC 6749) and tells whose one is (RFC 7662)."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.access: dict[str, str] = {}  # token to address
        self.refresh: dict[str, str] = {}
        self.given_out = 0
        tokens = self

        class Answerer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
                status, answer = tokens.answer(self.path, form)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answerer)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Status and JSON for one request."""
        if path.startswith("/introspect"):
            user = self.access.get(form.get("token", ""))
            return 200, {"active": True, "user": user, "username": user} if user else {"active": False}
        user = self.refresh.get(form.get("refresh_token", ""))
        if not user or form.get("grant_type") != "refresh_token":
            return 400, {"error": "invalid_grant", "error_description": "the refresh token is not known"}
        self.given_out += 1
        token = f"access-{self.given_out}-{user}"
        self.access[token] = user
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
