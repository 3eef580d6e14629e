"""What customers send: forms, bounded in size, with their files."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from everyline.ground.errors import Invalid, ProductError
from everyline.ground.words import _
from everyline.intake.written import WrittenFile
from everyline.portal.saying import size_in_words

MIB = 1024 * 1024
MOST_FILES = 10
LARGEST_FILES = 20 * MIB  # all of one message together
WORDS_BYTES = MIB  # of a form, beside its files
LONGEST_TEXT = 100_000

_KEY = re.compile(r"[0-9a-f]{32}")


class TooLarge(ProductError):
    """More bytes than are read at all."""

    status = 413

    def __init__(self) -> None:
        super().__init__(_("What you sent is too large: at most %s together.") % size_in_words(LARGEST_FILES))


class _TooMuch(MultiPartException):
    """The parser puts the files away that it has begun when it sees one of its own errors, so this is one."""


async def read(request: Request, *, files: bool = False) -> FormData:
    """The form of a request. Raises TooLarge, Invalid."""
    most = WORDS_BYTES + (2 * LARGEST_FILES if files else 0)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:19]) > most:
        raise TooLarge
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    stream = _bounded(request.stream(), most)
    try:
        if kind == "multipart/form-data":
            return await MultiPartParser(
                request.headers, stream, max_files=MOST_FILES * 3, max_fields=100, max_part_size=WORDS_BYTES
            ).parse()
        return await FormParser(request.headers, stream).parse()
    except _TooMuch:
        raise TooLarge from None
    except (MultiPartException, ValueError, LookupError) as error:
        raise Invalid(_("What your browser sent could not be read. Please try again.")) from error


async def _bounded(stream: AsyncIterator[bytes], most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > most:
            raise _TooMuch("too much")
        yield chunk


def word(form: FormData, name: str, longest: int = 1000) -> str:
    """A field's text, without blanks round it."""
    value = form.get(name, "")
    return value.replace("\x00", "").strip()[:longest] if isinstance(value, str) else ""


def numbers(form: FormData, name: str) -> list[int]:
    """The numbers of all that were chosen."""
    every = [value for value in form.getlist(name) if isinstance(value, str)]
    return [int(value) for value in every if value.isascii() and value.isdecimal() and len(value) < 19]


def fresh_key() -> str:
    """What tells one form that was given out from another."""
    return secrets.token_hex(16)


def key_of(form: FormData) -> str:
    """The key of a form; a fresh one when it brings none of ours."""
    given = word(form, "key", 40)
    return given if _KEY.fullmatch(given) else fresh_key()


async def files_of(form: FormData) -> tuple[WrittenFile, ...]:
    """The files that a form brings. Raises Invalid when they are too many or too large."""
    uploads = [value for value in form.getlist("files") if isinstance(value, UploadFile) and value.filename]
    if len(uploads) > MOST_FILES:
        said = _("Please send at most %s files.") % MOST_FILES
        raise Invalid(said, {"files": said})
    if sum(upload.size or 0 for upload in uploads) > LARGEST_FILES:
        said = _("Your files are too large: at most %s together.") % size_in_words(LARGEST_FILES)
        raise Invalid(said, {"files": said})
    return tuple(
        [
            WrittenFile(name=upload.filename or "", content_type=upload.content_type or "", content=await upload.read())
            for upload in uploads
        ]
    )
