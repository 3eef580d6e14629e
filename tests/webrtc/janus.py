"""A Janus of Debian's package, with the plugin and the wire that ways to browsers need, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.product import free_port

HOST, SECRET = "127.0.0.1", "let me in"
_FILES = {
    "janus.jcfg": """general: {{
  configs_folder = "{folder}"
  plugins_folder = "{plugins}"
  transports_folder = "{transports}"
  events_folder = "{folder}"
  loggers_folder = "{folder}"
  api_secret = "{secret}"
  session_timeout = {forgets}
}}
media: {{ ipv6 = false }}
""",
    "janus.plugin.nosip.jcfg": """general: {{ local_ip = "{host}" }}
""",
    "janus.transport.websockets.jcfg": """general: {{
  json = "compact"
  ws = true
  ws_port = {port}
  ws_ip = "{host}"
}}
""",
}


@dataclass
class Running:
    """A Janus that runs."""

    port: int
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"ws://{HOST}:{self.port}"

    async def die(self) -> None:
        """As kill -9 does it."""
        self.process.kill()
        await self.process.wait()


def _libraries(folder: Path) -> dict[str, Path]:
    """Folders that hold the one plugin and the one transport, so that nothing else is loaded."""
    found = {}
    for kind, name in (("plugins", "libjanus_nosip.so"), ("transports", "libjanus_websockets.so")):
        found[kind] = folder / kind
        found[kind].mkdir()
        (found[kind] / name).symlink_to(next(Path("/usr/lib").glob(f"*/janus/{kind}/{name}")))
    return found


def _written(folder: Path, port: int, forgets: int) -> None:
    folder.mkdir(parents=True)
    given = {"folder": folder, "host": HOST, "port": port, "secret": SECRET, "forgets": forgets, **_libraries(folder)}
    for name, content in _FILES.items():
        (folder / name).write_text(content.format(**given), "utf-8")


@contextlib.asynccontextmanager
async def janus(folder: Path, port: int = 0, *, forgets: int = 60) -> AsyncIterator[Running]:
    """One that answers, and forgets who says nothing for some seconds; it is ended by its own number."""
    port = port or free_port()
    await asyncio.to_thread(_written, folder, port, forgets)
    log = (folder / "log").open("wb")
    process = await asyncio.create_subprocess_exec("janus", "-F", str(folder), stdout=log, stderr=log)
    log.close()
    try:
        async with asyncio.timeout(20):
            while True:
                assert process.returncode is None, (folder / "log").read_text("utf-8", "replace")
                with contextlib.suppress(OSError):
                    _reader, writer = await asyncio.open_connection(HOST, port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield Running(port, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
