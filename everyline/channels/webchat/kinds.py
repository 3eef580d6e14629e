"""What a file is, seen from its content: neither its name nor what a browser says of it is believed."""

from __future__ import annotations

import io
import re
import zipfile

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."

# media type to the endings of names that fit it, the usual one first
KNOWN: dict[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg", ".jfif"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".csv", ".log", ".md", ".tsv"),
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov", ".qt"),
    "audio/mpeg": (".mp3",),
    f"{OFFICE}wordprocessingml.document": (".docx",),
    f"{OFFICE}spreadsheetml.sheet": (".xlsx",),
    f"{OFFICE}presentationml.presentation": (".pptx",),
    f"{OPEN}text": (".odt",),
    f"{OPEN}spreadsheet": (".ods",),
}
USUAL = tuple(kind for kind in KNOWN if not kind.startswith(("video/", "audio/")))
SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})  # browsers run nothing that stands in them
UNKNOWN = "application/octet-stream"

_BEGINS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
)
_MARKUP = re.compile(
    rb"<\s*(?:!doctype|html|head|body|script|svg|iframe|object|embed|meta|\?xml|!--|[a-z]+\s+[^>]*on[a-z]+\s*=)",
    re.IGNORECASE,
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_BRANDS = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic", b"qt  ": "video/quicktime"}
_MOVIES = frozenset({b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash"})


def kind_of(content: bytes) -> str:
    """The media type; ``application/octet-stream`` when it cannot be told."""
    for begin, kind in _BEGINS:
        if content.startswith(begin):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        return _BRANDS.get(brand) or ("video/mp4" if brand in _MOVIES else UNKNOWN)
    if content.startswith(b"PK\x03\x04"):
        return _of_archive(content)
    return _of_text(content)


def _of_archive(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist()[:2000])
            if any("vbaProject" in name for name in names):
                return UNKNOWN  # it holds macros
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
                kind = archive.read("mimetype").decode("ascii", "replace").strip()
                return kind if kind in KNOWN else UNKNOWN
    except (zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, OSError, EOFError):
        return UNKNOWN
    for folder, name in (
        ("word/", "wordprocessingml.document"),
        ("xl/", "spreadsheetml.sheet"),
        ("ppt/", "presentationml.presentation"),
    ):
        if "[Content_Types].xml" in names and any(entry.startswith(folder) for entry in names):
            return OFFICE + name
    return UNKNOWN


def _of_text(content: bytes) -> str:
    if _CONTROLS.search(content):
        return UNKNOWN
    if _MARKUP.search(content[:65_536]):
        return "text/html"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return UNKNOWN
    return "text/plain"


def name_for(name: str, kind: str) -> str:
    """The name with an ending that fits what the file is."""
    endings = KNOWN.get(kind, ())
    return name if not endings or name.lower().endswith(endings) else name + endings[0]
