"""What of a message's parts is its body and what is a file."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field

from everyline.channel_contract import File
from everyline.channels.email import charsets, clean, headers
from everyline.channels.email.mime import Part
from everyline.ground.words import _

LONGEST_TEXT = 500_000  # characters shown; what is longer is also kept as a file
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u202a-\u202e\u2066-\u2069]+')
_EXTENSIONS = {
    "text/calendar": ".ics",
    "text/plain": ".txt",
    "text/html": ".html",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "text/rfc822-headers": ".txt",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "application/pdf": ".pdf",
    "application/octet-stream": ".bin",
}


@dataclass(slots=True)
class Segment:
    """One piece of body, as text, as HTML or as both."""

    text: str | None = None
    html: str | None = None


@dataclass(slots=True)
class Bodies:
    """The readable part of a message and its files, both in their order."""

    segments: list[Segment] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def remark(self, words: str) -> None:
        if words not in self.remarks:
            self.remarks.append(words)


def collect(root: Part) -> Bodies:
    """Sort the parts of a message."""
    bodies = Bodies()
    _sort(root, bodies, related=False)
    return bodies


def _sort(part: Part, bodies: Bodies, *, related: bool) -> None:
    if part.parts:
        if part.kind == "multipart/alternative":
            _choose(part, bodies)
            return
        inside = part.kind == "multipart/related"
        for number, child in enumerate(part.parts):
            _sort(child, bodies, related=inside and number > 0)
        return
    disposition, parameters = part.disposition
    name = parameters.get("filename") or part.parameters.get("name") or ""
    body = part.kind in {"text/plain", "text/html"} and disposition != "attachment" and not related
    if body and (not name or (disposition == "inline" and not bodies.segments)):
        _read_text(part, bodies)
    elif part.end > part.start or name:
        bodies.files.append(_file(part, bodies, name, inline=related or disposition == "inline"))


def _choose(part: Part, bodies: Bodies) -> None:
    """Of alternatives the text and the HTML are kept, of an invitation its file; other forms say the same again."""
    text: list[Segment] = []
    rich: list[Segment] = []
    for child in part.parts:
        if not child.parts and child.kind not in {"text/plain", "text/html", "text/calendar"}:
            disposition, parameters = child.disposition
            if disposition != "attachment" and "filename" not in parameters and child.kind.startswith("text/"):
                continue
        inner = Bodies(remarks=bodies.remarks)
        _sort(child, inner, related=False)
        bodies.files += inner.files
        if any(segment.html is not None for segment in inner.segments):
            rich = inner.segments
        elif inner.segments:
            text = text or inner.segments
    if len(text) == 1 and len(rich) == 1:
        bodies.segments.append(Segment(rich[0].text if rich[0].text is not None else text[0].text, rich[0].html))
    elif rich and text:
        whole = "\n\n".join(segment.text or "" for segment in text)
        html = "".join(segment.html or clean.from_text(segment.text or "") for segment in rich)
        bodies.segments.append(Segment(whole, html))
    else:
        bodies.segments += rich or text


def _read_text(part: Part, bodies: Bodies) -> None:
    content, whole = part.content()
    if not whole:
        bodies.remark(_("Part of it was damaged on the way; what could be read is here."))
    charset = part.parameters.get("charset", "")
    text, known = charsets.decode(content, charset)
    if not known:
        bodies.remark(_("Its letters could not be read as “{charset}” and were guessed.").format(charset=charset[:40]))
    text = charsets.tidy(text)
    if part.kind == "text/html":
        if clean.showable(text):
            bodies.segments.append(Segment(html=text))
        else:
            bodies.remark(_("Its HTML is too large or too deep to show and is kept as a file."))
            bodies.files.append(File("message.html", "text/html", content))
        return
    if part.parameters.get("format", "").lower() == "flowed":
        text = _flowed(text, joined=part.parameters.get("delsp", "").lower() == "yes")
    if len(text) > LONGEST_TEXT:
        bodies.remark(_("Its text is very long; all of it is kept as a file."))
        bodies.files.append(File("message.txt", "text/plain", content))
        text = text[:LONGEST_TEXT]
    bodies.segments.append(Segment(text=text))


def _flowed(text: str, *, joined: bool) -> str:
    """Undo soft line breaks (RFC 3676). Quoted lines stay as they are: they are folded away line by line."""
    out: list[str] = []
    open_line = False
    for line in text.split("\n"):
        unstuffed = line[1:] if line.startswith(" ") else line
        soft = line.endswith(" ") and line != "-- " and not line.startswith(">")
        if open_line and not line.startswith(">") and line != "-- ":
            out[-1] += unstuffed
        else:
            out.append(unstuffed)
        if soft and joined:
            out[-1] = out[-1][:-1]
        open_line = soft
    return "\n".join(out)


def _file(part: Part, bodies: Bodies, name: str, *, inline: bool) -> File:
    content, whole = part.content()
    if not whole:
        bodies.remark(_("A file was damaged on the way; what could be read is here."))
    content_id = headers.text(part.fields.raw(b"content-id")).strip("<> ")[:250]
    kind = (
        part.kind
        if len(part.kind) <= 100 and part.kind.isascii() and " " not in part.kind
        else "application/octet-stream"
    )
    return File(
        name=_file_name(part, name, len(bodies.files) + 1),
        content_type=kind,
        content=content,
        content_id=content_id,
        inline=inline and bool(content_id) and kind.startswith("image/"),
    )


def _file_name(part: Part, name: str, number: int) -> str:
    name = charsets.tidy(name).replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE.sub("_", name).strip(" .")
    if name:
        stem, dot, extension = name.rpartition(".")
        return f"{stem[:150]}.{extension[:40]}" if dot and len(name) > 200 else name[:200]
    if part.kind == "application/ms-tnef":
        return "winmail.dat"
    if part.kind == "text/calendar":
        return "invite.ics"
    extension = _EXTENSIONS.get(part.kind) or mimetypes.guess_extension(part.kind) or ".bin"
    if part.kind == "message/rfc822":
        inner = headers.read(part.data, part.start, min(part.end, part.start + 65536))[0].text(b"subject")
        stem = _UNSAFE.sub("_", inner).strip(" .")[:100]
        return f"{stem or 'message'}{extension}"
    return f"file-{number}{extension}"
