"""How one answer is put for each way of giving it: what is wrong with a wording, and one made of the full text. Pure.

A wording is of a kind, not of a channel: ``spoken`` is read out, ``short`` is one text message, ``chat`` is typed and read in
a narrow window (and on a TTY, a letter at a time), ``letter`` is printed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from everyline.ground import markdown
from everyline.ground.words import _, mark, ngettext


class Wording(StrEnum):
    """The kinds."""

    FULL = "full"
    SPOKEN = "spoken"
    SHORT = "short"
    CHAT = "chat"
    LETTER = "letter"


NAMES = {
    Wording.FULL: mark("Full text"),
    Wording.SPOKEN: mark("Spoken"),
    Wording.SHORT: mark("160 characters"),
    Wording.CHAT: mark("Chat"),
    Wording.LETTER: mark("Letter"),
}
WRITTEN = (
    Wording.SPOKEN,
    Wording.SHORT,
    Wording.CHAT,
    Wording.LETTER,
)  # those that one may write; the full text is there

SHORT_SEPTETS = 160
CHAT_LONGEST = 600  # characters: what a narrow window shows at once
SPOKEN_LONGEST = 60  # seconds that a listener keeps in mind
LETTER_LONGEST = 2800  # characters of one sheet with its address
READ_A_MINUTE = 220  # words, silently
SPEAK_A_MINUTE = 150  # words, aloud
TYPED_A_SECOND = 6.06  # characters at 45.45 baud, five bits (TIA-825-A)
LONG_SENTENCE = 25  # words that one can follow by ear

# 3GPP TS 23.038: the default alphabet, and what takes two septets
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")
# what five bits can say in the USA (TIA-825-A); it has capital letters only
_TYPED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \n\r-$',!:(\")=?+./;")
_ALIKE = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ", "•": "-"}
)

_URL = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+", re.IGNORECASE)
# what points to something on a page, in the languages that articles are mostly written in
_SEEN = re.compile(
    r"\b(?:click|tap on|see (?:below|above)|the (?:table|picture|image|link) (?:below|above)|below:"
    r"|(?:haga|haz|hacer) clic|pulse (?:en|sobre)|(?:vea|véase|ver) (?:abajo|arriba|más abajo|más arriba)|(?:la tabla|la imagen|el enlace) de (?:abajo|arriba)"
    r"|klick\w*|tippen sie auf|siehe (?:unten|oben)|(?:tabelle|bild|link) (?:unten|oben)"
    r"|cliqu\w+|appuyez sur|voir (?:ci-dessous|ci-dessus)"
    r"|(?:nhấp|bấm) vào|xem (?:bên dưới|ở dưới|bên trên|ở trên))",
    re.IGNORECASE,
)
_ON_A_PAGE = re.compile(
    r"\b(?:click|tap on|this page|the link|(?:haga|haz|hacer) clic|esta página|el enlace|klick\w*|tippen sie auf|diese seite"
    r"|der link|den link|cliqu\w+|cette page|le lien|(?:nhấp|bấm) vào|trang này|liên kết)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?<![\d$€£])(?<!\d[.,])\d{5,}(?!\d|[.,]\d)")
_CAPITALS = re.compile(r"\b(?:[A-Z]{2,6}\d*|e\.g\.|i\.e\.|etc\.|approx\.)(?=\W|$)")
_UNSPOKEN = re.compile(r"[#*_~^|<>{}\[\]\\=]|\S/\S|->|→")
_SENTENCE = re.compile(r"(?<=[.!?…:])\s+")


class Weight(StrEnum):
    """How bad a finding is."""

    WRONG = "wrong"  # it cannot go out like this
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a lint says, with the figure that it counted."""

    code: str
    weight: Weight
    words: str
    figure: float = 0


@dataclass(frozen=True, slots=True)
class Segments:
    """A text message as it is counted: septets of the default alphabet, or 16-bit units once one character is not in it."""

    plain: bool  # the default alphabet does
    units: int
    parts: int
    odd: str  # the characters that are not in the alphabet


def segments(text: str) -> Segments:
    """How a text is cut into messages (3GPP TS 23.038 and 23.040): 160 septets or 153 each of several, 70 or 67 otherwise.
    A character is never cut in two."""
    odd = "".join(dict.fromkeys(one for one in text if one not in _GSM and one not in _GSM_TWICE))
    if odd:
        sizes = [2 if ord(one) > 0xFFFF else 1 for one in text]
        whole, each = 70, 67
    else:
        sizes = [2 if one in _GSM_TWICE else 1 for one in text]
        whole, each = 160, 153
    units = sum(sizes)
    parts = 1 if units else 0
    if units > whole:
        parts, used = 1, 0
        for size in sizes:
            if used + size > each:
                parts, used = parts + 1, 0
            used += size
    return Segments(not odd, units, parts, odd)


def reading_seconds(text: str) -> int:
    """How long it takes to read a Markdown text silently."""
    return reading_seconds_of(markdown.plain(text))


def reading_seconds_of(words: str) -> int:
    """The same of its words alone."""
    return round(len(words.split()) / READ_A_MINUTE * 60)


def speaking_seconds(text: str) -> int:
    """How long it takes to say a text."""
    return round(len(text.split()) / SPEAK_A_MINUTE * 60)


def typing_seconds(text: str) -> int:
    """How long a text takes to arrive on a TTY."""
    return round(len(text) / TYPED_A_SECOND)


def untyped(text: str) -> str:
    """The characters of a text that a TTY cannot show, once each. Letters lose case and accents by themselves."""
    return "".join(dict.fromkeys(one for one in text.translate(_ALIKE) if _bare(one) - _TYPED))


def _bare(letter: str) -> set[str]:
    return {part for part in unicodedata.normalize("NFKD", letter).upper() if not unicodedata.combining(part)}


def lint(kind: Wording, text: str) -> list[Finding]:
    """What is wrong with a wording, the worst first. An empty one has nothing wrong: it is made of the full text."""
    text = text.strip()
    if not text:
        return []
    found = {
        Wording.FULL: _lint_full,
        Wording.SPOKEN: _lint_spoken,
        Wording.SHORT: _lint_short,
        Wording.CHAT: _lint_chat,
        Wording.LETTER: _lint_letter,
    }[kind](text)
    return sorted(found, key=lambda one: one.weight is Weight.DOUBTFUL)


def _lint_full(text: str) -> list[Finding]:
    seconds = reading_seconds(text)
    if seconds <= 6 * 60:
        return []
    minutes = round(seconds / 60)
    words = ngettext("%d minute to read: few read so far.", "%d minutes to read: few read so far.", minutes)
    return [Finding("long", Weight.DOUBTFUL, words % minutes, seconds)]


def _lint_spoken(text: str) -> list[Finding]:
    found = []
    seconds = speaking_seconds(text)
    if seconds > SPOKEN_LONGEST:
        found.append(
            Finding("long", Weight.WRONG, _("%d seconds to say: nobody keeps that in mind.") % seconds, seconds)
        )
    for code, pattern, words in (
        ("address", _URL, _("An address cannot be said: %s. Offer to send it.")),
        ("seen", _SEEN, _("“%s” points to something that a listener does not see.")),
        ("digits", _DIGITS, _("%s is read as one large number: group its digits.")),
        ("short form", _CAPITALS, _("%s is a short form: say the words.")),
        ("sign", _UNSPOKEN, _("“%s” cannot be said.")),
    ):
        matches = list(dict.fromkeys(match.group() for match in pattern.finditer(text)))
        weight = Weight.DOUBTFUL if code == "short form" else Weight.WRONG
        if matches:
            found.append(Finding(code, weight, words % ", ".join(matches[:4]), len(matches)))
    long = [len(sentence.split()) for sentence in _SENTENCE.split(text) if len(sentence.split()) > LONG_SENTENCE]
    if long:
        words = _("A sentence of %d words is hard to follow by ear.") % max(long)
        found.append(Finding("sentence", Weight.DOUBTFUL, words, max(long)))
    return found


def _lint_short(text: str) -> list[Finding]:
    cut = segments(text)
    found = []
    if cut.parts > 1:
        words = ngettext(
            "%(units)d units: goes out as %(parts)d message.",
            "%(units)d units: goes out as %(parts)d messages.",
            cut.parts,
        )
        found.append(Finding("segments", Weight.WRONG, words % {"units": cut.units, "parts": cut.parts}, cut.parts))
    if cut.odd:
        words = _("“%s” is not in the alphabet of text messages: only 70 characters fit in one.") % cut.odd[:12]
        found.append(Finding("alphabet", Weight.DOUBTFUL, words, len(cut.odd)))
    return found + _signs(text)


def _lint_chat(text: str) -> list[Finding]:
    found = []
    if len(text) > CHAT_LONGEST:
        found.append(
            Finding(
                "long", Weight.WRONG, _("%d characters: more than a chat window shows at once.") % len(text), len(text)
            )
        )
    odd = untyped(_URL.sub("", text))
    if odd:
        found.append(Finding("untyped", Weight.DOUBTFUL, _("“%s” cannot be typed on a TTY.") % odd[:12], len(odd)))
    seconds = typing_seconds(text)
    if seconds > 60:
        found.append(Finding("typing", Weight.DOUBTFUL, _("%d seconds to arrive on a TTY.") % seconds, seconds))
    return found + _signs(text)


def _lint_letter(text: str) -> list[Finding]:
    found = []
    length = len(markdown.plain(text))
    if length > LETTER_LONGEST:
        found.append(Finding("long", Weight.DOUBTFUL, _("%d characters: more than one sheet.") % length, length))
    if match := _ON_A_PAGE.search(text):
        found.append(Finding("seen", Weight.WRONG, _("“%s” means nothing on paper.") % match.group(), 1))
    return found


def _signs(text: str) -> list[Finding]:
    """Markdown that would be read as it stands."""
    if re.search(r"(?m)^#{1,6} |\*\*\S|\]\(\S|^\|.*\|$", text):
        return [Finding("signs", Weight.WRONG, _("Signs of formatting would be seen as they stand."), 1)]
    return []


def made(kind: Wording, title: str, summary: str, text: str) -> str:
    """A wording made of the full text; it always keeps the limits that ``lint`` calls wrong, at the price of what it says."""
    if kind is Wording.FULL:
        return text
    if kind is Wording.LETTER:
        return _SEEN_LINK.sub(r"\1 (\2)", _DRAWN.sub("", text)).strip()
    plain = markdown.plain(text)
    said = _ended(summary or _first(plain) or title)
    if kind is Wording.SHORT:
        return _cut_short(_gsm(said))
    if kind is Wording.CHAT:
        return _cut(said if summary and len(said) > CHAT_LONGEST // 3 else _joined(said, plain), CHAT_LONGEST)
    return _spoken(_joined(said, plain))


_DRAWN = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_SEEN_LINK = re.compile(r"\[([^\]]+)\]\((?:mailto:|tel:)?([^)\s]+)\)")


def _first(plain: str) -> str:
    return plain.partition("\n")[0]


def _ended(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?:…" else f"{text}."


def _joined(said: str, plain: str) -> str:
    """The summary, then the text from where it goes on."""
    lines = [_ended(line) for line in plain.splitlines()]
    rest = lines[1:] if lines and lines[0] == said else lines
    return " ".join([said, *rest]).strip()


def _gsm(text: str) -> str:
    """The text in the alphabet of text messages, as far as that loses nothing but accents and typesetting."""
    kept = []
    for one in text.translate(_ALIKE):
        bare = "".join(part for part in unicodedata.normalize("NFKD", one) if not unicodedata.combining(part))
        kept.append(bare if one not in _GSM and one not in _GSM_TWICE and all(part in _GSM for part in bare) else one)
    return "".join(kept)


def _cut_short(text: str) -> str:
    """As many whole sentences as fit one message, or as many words."""
    while segments(text).parts > 1:
        room = 67 if segments(text).odd else SHORT_SEPTETS
        shorter = _cut(text, min(room, len(text) - 1))
        text = shorter if len(shorter) < len(text) else text[:-1]
    return text


def _cut(text: str, most: int) -> str:
    """As many whole sentences as fit, or as many words with three dots."""
    if len(text) <= most:
        return text
    kept = ""
    for sentence in _SENTENCE.split(text):
        if len(kept) + len(sentence) + 1 > most:
            break
        kept = f"{kept} {sentence}".strip()
    if kept:
        return kept
    words = text[: most - 3].rpartition(" ")[0] or text[: most - 3]
    return f"{words.rstrip(' ,;:-')}..."


def _spoken(text: str) -> str:
    """Sentences that can be said, as many as a listener keeps in mind."""
    kept: list[str] = []
    for sentence in _SENTENCE.split(text):
        named = _URL.sub(lambda match: _("our mailbox") if "@" in match.group() else _("our website"), sentence)
        said = _DIGITS.sub(lambda match: " ".join(match.group()), named.replace(_("and/or"), _("or")))
        said = " ".join(
            _UNSPOKEN.sub(
                lambda match: match.group().replace("/", f" {_('or')} ") if "/" in match.group() else " ", said
            ).split()
        )
        if _SEEN.search(said) or not re.search(r"\w", said):
            continue
        if kept and speaking_seconds(" ".join([*kept, said])) > SPOKEN_LONGEST:
            break
        kept.append(said)
    whole = " ".join(kept)
    words = whole.split()
    most = SPOKEN_LONGEST * SPEAK_A_MINUTE // 60
    return whole if len(words) <= most else " ".join(words[:most])


def minutes(seconds: int) -> int:
    """Whole minutes, at least one, for "4 minutes to read"."""
    return max(1, math.ceil(seconds / 60))
