"""A document as a tagged PDF (WeasyPrint), made in a process of its own.

WeasyPrint takes half a second and a hundred megabytes to load, and a page of it holds up all else in its process: so it is
loaded where nothing else runs, and gone afterwards. Run as a program it reads HTML from its input and writes the PDF to its
output. What the document refers to is never fetched, from nowhere: it holds what customers wrote.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

SECONDS = 60.0  # then it is given up
VARIANT = "pdf/ua-1"  # ISO 14289-1: tagged, with its language and title
_STYLE = Path(__file__).parent.parent / "templates" / "statement.css"


class Unprinted(Exception):
    """No PDF came of it; the message says why, for us."""


def able() -> bool:
    """Is there what PDFs are made with?"""
    return importlib.util.find_spec("weasyprint") is not None


async def printed(html: str) -> bytes:
    """The PDF of a document; the same for the same HTML. Raises Unprinted."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # what stands beside it is not found in place of what it needs
        __file__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            pdf, said = await process.communicate(html.encode("utf-8"))
    except TimeoutError as error:
        raise Unprinted(f"no PDF within {SECONDS:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not pdf.startswith(b"%PDF-"):
        raise Unprinted(said.decode("utf-8", "replace")[-500:].strip() or "no PDF came of it")
    return pdf


def _print(html: str) -> bytes:
    weasyprint: Any = importlib.import_module("weasyprint")  # of an extra, which need not be there
    fetching: Any = importlib.import_module("weasyprint.urls")

    class Nowhere(fetching.URLFetcher):  # type: ignore[misc]  # -- it ships no types
        """Fetches nothing."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> NoReturn:
            raise ValueError(f"nothing is fetched: {url[:80]} {headers or ''}")

    document = weasyprint.HTML(string=html, url_fetcher=Nowhere())
    mark = sha256(html.encode("utf-8")).digest()[:16]
    pdf: bytes = document.write_pdf(
        stylesheets=[weasyprint.CSS(string=_STYLE.read_text("utf-8"))], pdf_variant=VARIANT, pdf_identifier=mark
    )
    return pdf


if __name__ == "__main__":
    sys.stdout.buffer.write(_print(sys.stdin.buffer.read().decode("utf-8")))
