"""A server that speaks OpenAI's chat completions, strict about the protocol, and not clever: what it answers is told by the test, or by
orders that stand in what it is given, all of which it obeys on purpose.

``ORDER: say WORDS.`` has it write the words, ``ORDER: call NAME {json}`` call a tool, ``ORDER: reveal`` write out all that it was told.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-of-the-house"
MODEL = "small-model"
_FIELDS = {"model", "messages", "temperature", "max_tokens", "tools", "tool_choice"}
_TOOL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Refused(Exception):
    """The request is not as the protocol wants it."""


def check(path: str, content_type: str, asked: Any) -> None:
    """Refuse what OpenAI's server would refuse."""
    if (path, content_type) != ("/v1/chat/completions", "application/json"):
        raise Refused(f"nothing takes {content_type} at {path}")
    if not isinstance(asked, dict) or set(asked) - _FIELDS:
        raise Refused(f"unknown fields {set(asked) - _FIELDS}")
    if asked.get("model") != MODEL:
        raise Refused("no such model")
    if not 0 <= asked.get("temperature", 1) <= 2 or not isinstance(asked.get("max_tokens", 1), int):
        raise Refused("numbers out of range")
    tools = asked.get("tools")
    if "tool_choice" in asked and not tools:
        raise Refused("tool_choice is only allowed when tools are specified")
    for tool in tools or ():
        function = tool["function"]
        if tool.get("type") != "function" or not _TOOL.fullmatch(function["name"]):
            raise Refused(f"a tool is called {function['name']!r}")
        schema = function["parameters"]
        if schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
            raise Refused("parameters are no JSON schema of an object")
        if set(schema.get("required", ())) - set(schema["properties"]):
            raise Refused("what is required is no property")
    waiting: set[str] = set()
    if not asked.get("messages"):
        raise Refused("no messages")
    for n, message in enumerate(asked["messages"]):
        role = message.get("role")
        if role not in ("system", "user", "assistant", "tool") or (role == "system" and n):
            raise Refused(f"message {n} has the role {role!r}")
        if role in ("system", "user") and (not isinstance(message.get("content"), str) or not message["content"]):
            raise Refused(f"message {n} has no content")
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                raise Refused("an answer to a call that nobody made")
            waiting.discard(message["tool_call_id"])
        elif waiting:
            raise Refused("a call has no answer")
        waiting |= {one["id"] for one in message.get("tool_calls", ())}
    if asked["messages"][-1]["role"] != "user":
        raise Refused("nobody asks")


class ModelDouble:
    """``says`` is what it answers, ``obeys`` that it does what it is ordered, ``fails`` how it breaks: a status, ``slow``,
    ``malformed``, ``cut`` or ``nonsense``."""

    def __init__(self) -> None:
        self.says = "UNKNOWN"
        self.calls: list[tuple[str, str]] = []
        self.obeys = False
        self.fails: int | str = 0
        self.asked: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.hits = 0

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A completion."""
        words, calls = self.says, list(self.calls)
        given = "\n".join(one["content"] for one in asked["messages"])
        if self.obeys and (order := re.search(r"ORDER: (say|call|reveal)(?: ([^\n\"]*))?", given)):
            if order[1] == "say":
                words = (order[2] or "").split("\\n")[0]
            elif order[1] == "reveal":
                words = given
            else:
                name, _blank, values = (order[2] or "").partition(" ")
                words, calls = "", [(name, values if values.startswith("{") and values.endswith("}") else "{}")]
        message: dict[str, Any] = {"role": "assistant", "content": words or None}
        if calls:
            message["tool_calls"] = [
                {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": values}}
                for n, (name, values) in enumerate(calls)
            ]
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }


@contextlib.contextmanager
def running() -> Iterator[tuple[str, ModelDouble]]:
    """Its address, as a house would set it, and the double."""
    double = ModelDouble()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            """Nothing is printed."""

        def do_POST(self) -> None:
            double.hits += 1
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if double.fails == "slow":
                time.sleep(1.5)
            if isinstance(double.fails, int) and double.fails:
                return self._send(double.fails, b'{"error": {"message": "no"}}')
            if double.fails == "malformed":
                return self._send(200, b'{"choices": [{"mess')
            if double.fails == "nonsense":
                return self._send(200, b'{"choices": [{"message": {"content": 7, "tool_calls": [{"function": 1}]}}]}')
            try:
                if self.headers.get("authorization") != f"Bearer {KEY}":
                    return self._send(401, b'{"error": {"message": "Incorrect API key provided"}}')
                asked = json.loads(body)
                check(self.path, self.headers.get_content_type(), asked)
            except (Refused, KeyError, TypeError, ValueError) as error:
                double.refused.append(repr(error))
                return self._send(400, json.dumps({"error": {"message": str(error)}}).encode())
            double.asked.append(asked)
            found = double.answer(asked)
            if double.fails == "cut":
                found["choices"][0]["finish_reason"] = "length"
            return self._send(200, json.dumps(found).encode())

        def _send(self, status: int, body: bytes) -> None:
            with contextlib.suppress(OSError):  # who asked has gone
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
