"""What was typed into one form: taken from the request, checked, and made into a submission."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from everyline.channel_contract import Line
from everyline.channels.webform import stamps
from everyline.channels.webform.piece import KeptAnswer, KeptFile, Submission, file_name, one_line, plain
from everyline.channels.webform.questions import fault_of
from everyline.channels.webform.settings import WebformSettings
from everyline.ground import addresses
from everyline.ground.words import _, language, ngettext, speaking

TRAP = "homepage"  # machines fill it in; people do not see it
LONGEST_NAME = 200  # characters, as the others
LONGEST_TEXT = 100_000
WORDS_BYTES = 4 * 1024 * 1024  # of a request, beside its files
MOST_PARTS = 300


class TooLarge(MultiPartException):
    """More bytes than are read at all. The parser puts the files away that it has begun when it sees one of its own
    errors, so this is one."""


class Broken(Exception):
    """No form that can be read."""


@dataclass(slots=True)
class Typed:
    """What was typed, to be shown again, and what is wrong with it."""

    values: dict[str, str] = field(default_factory=dict)
    uploads: list[UploadFile] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)  # by control, in the order of the page

    def value(self, name: str) -> str:
        """What stands in a control; empty when nothing does."""
        return self.values.get(name, "")


async def typed(request: Request, settings: WebformSettings) -> Typed:
    """Read the request. Twice the size of files that is taken is read all the same, so that who sends too much gets
    back what they typed; beyond that TooLarge. Raises Broken."""
    form = await _form(request, 2 * settings.largest_files + WORDS_BYTES)
    found = Typed()
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:
                found.uploads.append(value)
            else:
                await value.close()  # no file was chosen
        else:
            found.values.setdefault(name, plain(value).strip())
    return found


async def _form(request: Request, most: int) -> FormData:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:19]) > most:
        raise TooLarge("too large")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    stream = _bounded(request.stream(), most)
    try:
        if kind == "multipart/form-data":
            return await MultiPartParser(
                request.headers, stream, max_files=MOST_PARTS, max_fields=MOST_PARTS, max_part_size=WORDS_BYTES // 4
            ).parse()
        if kind == "application/x-www-form-urlencoded":
            return await FormParser(request.headers, stream).parse()
    except TooLarge:
        raise
    except (MultiPartException, ValueError, LookupError) as error:
        raise Broken from error
    raise Broken


async def _bounded(stream: AsyncIterator[bytes], most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > most:
            raise TooLarge("too large")
        yield chunk


def check(found: Typed, settings: WebformSettings) -> None:
    """Say of each control what is wrong with it, in the order in which they stand on the page."""
    for question in settings.asked:
        _note(found, question.name, fault_of(question, found.value(question.name)))
    text = found.value("text")
    if not text:
        _note(found, "text", _("Please write your message"))
    elif len(text) > LONGEST_TEXT:
        _note(found, "text", _("Please use at most %s characters for your message") % LONGEST_TEXT)
    _note(found, "files", _fault_of_files(found, settings))
    name = one_line(found.value("name"))
    if not name:
        _note(found, "name", _("Please tell us your name"))
    elif len(name) > LONGEST_NAME:
        _note(found, "name", _("Please use at most %s characters for your name") % LONGEST_NAME)
    _note(found, "mailbox", _fault_of_mailbox(found.value("mailbox")))
    if settings.phone != "no":
        _note(found, "number", _fault_of_number(found.value("number"), required=settings.phone == "required"))


def _note(found: Typed, name: str, fault: str) -> None:
    if fault:
        found.errors[name] = fault


def _fault_of_mailbox(given: str) -> str:
    if not given:
        return _("Please tell us your email address, so that we can answer")
    try:
        addresses.normal_mailbox(given)
    except ValueError:
        return _("Please check your email address: it looks like name@example.org")
    return ""


def _fault_of_number(given: str, *, required: bool) -> str:
    if not given:
        return _("Please tell us your phone number") if required else ""
    try:
        addresses.normal_number(given[:60])
    except ValueError:
        return _("Please check your phone number: it looks like 360 555 0142, or +49 30 1234567 from abroad")
    return ""


def _fault_of_files(found: Typed, settings: WebformSettings) -> str:
    if len(found.uploads) > settings.most_files:
        if not settings.most_files:
            return _("This form takes no files")
        most = settings.most_files
        return ngettext("Please send at most %s file", "Please send at most %s files", most) % most
    size = sum(upload.size or 0 for upload in found.uploads)
    if size > settings.largest_files:
        largest = max(found.uploads, key=lambda upload: upload.size or 0)
        return _("Your files have %(size)s together, and at most %(most)s can be sent. The largest is %(name)s.") % {
            "size": in_words(size),
            "most": in_words(settings.largest_files),
            "name": file_name(largest.filename or ""),
        }
    return ""


def in_words(size: int) -> str:
    """Bytes as people say them."""
    if size >= 1024 * 1024:
        return _("%s MB") % f"{size / 1024 / 1024:.1f}".removesuffix(".0")
    return _("%s KB") % max(1, round(size / 1024))


async def submission(line: Line, found: Typed, stamp: stamps.Stamp) -> Submission:
    """What is kept of a form without faults."""
    settings: WebformSettings = line.settings
    with speaking(line.language):
        told = {"yes": _("Yes"), "no": _("No")}
    answers = []
    for question in settings.asked:
        answer = found.value(question.name)
        if answer:
            words = told[answer] if question.kind == "yes/no" else answer
            answers.append(KeptAnswer(label=question.label, answer=words))
    subject = next((kept.answer for kept in answers if kept.label == settings.subject_question), "")
    number = found.value("number") if settings.phone != "no" else ""
    return Submission(
        submission=stamp.submission,
        name=one_line(found.value("name")),
        mailbox=addresses.normal_mailbox(found.value("mailbox")),
        number=addresses.normal_number(number) if number else "",
        subject=one_line(subject)[:200],
        text=found.value("text"),
        language=language(),
        answers=tuple(answers),
        files=tuple([await _kept(upload) for upload in found.uploads]),
    )


async def _kept(upload: UploadFile) -> KeptFile:
    name = file_name(upload.filename or "")
    return KeptFile(name=name, content_type=upload.content_type or "", content=await upload.read())
