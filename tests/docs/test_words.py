"""Every string a person reads is for translation, and the catalogues hold what they should."""

from __future__ import annotations

import configparser
import io
import re
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from sqlalchemy import func, select, text

from conftest import SignInAs
from everyline.dispatch.models import Delivery
from everyline.ground import words
from everyline.ground.installation import Ground
from tests.mail import MailLine, mail
from tests.structure.tree import PACKAGE, ROOT

HOW = configparser.ConfigParser()  # the same that `make words` reads
HOW.read(ROOT / "tools/babel.cfg", encoding="utf-8")
METHODS = [(pattern, method) for method, pattern in (name.split(": ") for name in HOW.sections())]
OPTIONS = {name.split(": ")[1]: dict(HOW[name]) for name in HOW.sections()}
KEYWORDS = {"_": None, "mark": None, "translated": None, "gettext": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%(?:\.\d)?[sdf]|\{\w*\}")
PSEUDO = "eo"  # stands for a language in which every text is there and looks strange
CUSTOMERS_READ = (
    "articles/guides.py",
    "articles/wordings.py",
    "selfservice/slots.py",
    "selfservice/putting.py",
    "selfservice/walking.py",
    "selfservice/renderings/*.py",
    "selfservice/running/*.py",
    "selfservice/errands/*.py",
    "selfservice/bot/*.py",
    "selfservice/templates/*.html",
    "intake/self_service.py",
    "intake/acknowledgements.py",
    "channels/*/templates/**/*.html",
    "channels/webchat/texts.py",
    "channels/phone/waiting.py",
    "channels/phone/calling_back.py",
    "ground/templates/error.html",
    "portal/*.py",
    "portal/templates/*.html",
    "customers/sign_ins.py",
    "intake/talking.py",
    "reports/survey_pages.py",
    "reports/templates/survey.html",
    "reports/templates/thanks.html",
)


def extracted(folder: Path) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """File and message of every text for translation under a folder."""
    for name, _line, message, _comments, _context in extract_from_dir(str(folder), METHODS, OPTIONS, keywords=KEYWORDS):
        yield name, message


def catalogues() -> dict[str, Catalog]:
    """The catalogues of the product by language."""
    found = {}
    for path in sorted(PACKAGE.glob("locale/*/LC_MESSAGES/everyline.po")):
        language = path.parent.parent.name
        found[language] = read_po(io.BytesIO(path.read_bytes()), locale=language, abort_invalid=True)
    return found


def forms(message: Message) -> list[tuple[str, str]]:
    """English and translation of each form of a message that has been translated."""
    ids = message.id if isinstance(message.id, list | tuple) else [message.id]
    strings = message.string if isinstance(message.string, list | tuple) else [message.string]
    english = [*ids, *[ids[-1]] * len(strings)]
    if len(strings) == 1:
        english = [ids[-1]]
    return [(english[number], string) for number, string in enumerate(strings) if string]


def misplaced(catalogue: Catalog) -> list[str]:
    """Translations whose places for values are not those of the English."""
    return [
        f"{english!r}: {string!r}"
        for message in catalogue
        if message.id
        for english, string in forms(message)
        if sorted(PLACEHOLDER.findall(english)) != sorted(PLACEHOLDER.findall(string))
    ]


@pytest.mark.req("P5")
def test_catalogues_compile() -> None:
    for catalogue in catalogues().values():
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        assert len(GNUTranslations(io.BytesIO(compiled.getvalue()))._catalog) > 50  # type: ignore[attr-defined]  # -- it has no public list


@pytest.mark.req("P5")
def test_places_for_values_are_those_of_the_english() -> None:
    found = catalogues()
    assert {"de", "es", "fr", "vi"} <= set(found)
    assert {language: misplaced(catalogue) for language, catalogue in found.items()} == {
        language: [] for language in found
    }


def test_sees_a_lost_place() -> None:
    catalogue = Catalog(locale="de")
    catalogue.add("Sent %s", "Gesendet")
    catalogue.add("{n} of {all}", "{n} von {all}")
    assert misplaced(catalogue) == ["'Sent %s': 'Gesendet'"]


@pytest.mark.req("P5")
def test_what_customers_read_is_there_in_every_language() -> None:
    files = {path for pattern in CUSTOMERS_READ for path in PACKAGE.glob(pattern)}
    read = {message for name, message in extracted(PACKAGE) if PACKAGE / name in files}
    assert len(read) > 10
    missing = [
        (language, message)
        for language, catalogue in catalogues().items()
        for message in read
        if not (known := catalogue.get(message[0] if isinstance(message, tuple) else message)) or not forms(known)
    ]
    assert missing == []


@pytest.mark.req("P5", "A2")
async def test_a_spanish_mail_is_acknowledged_in_spanish(ground: Ground) -> None:
    assert "es" in words.languages(), "`make build` compiles the catalogues"
    line = await MailLine.add(ground)
    await line.receive(mail("Buenos días, quisiera saber cómo puedo renovar la licencia de mi perro. Muchas gracias."))
    async with ground.database.transaction() as tx:
        sent = await tx.first(select(Delivery.__table__))
    assert sent is not None
    assert sent.language == "es"
    assert "Gracias por escribirnos" in sent.text
    assert "Thank you" not in sent.text
    assert sent.subject.startswith("Hemos recibido su mensaje")


# --- the language in which every text is marked -----------------------------------------------------------------------


@cache
def marked_words() -> bytes:
    """The compiled catalogue of that language."""
    catalogue = Catalog(locale=PSEUDO)
    for _name, message in extracted(PACKAGE):
        if isinstance(message, tuple):
            catalogue.add(message, tuple(f"⟦{form}⟧" for form in message))
        elif message:
            catalogue.add(message, f"⟦{message}⟧")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    return compiled.getvalue()


@pytest.fixture
def pseudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language whose every text stands between ⟦ and ⟧."""
    target = tmp_path / "locale" / PSEUDO / "LC_MESSAGES" / "everyline.mo"
    target.parent.mkdir(parents=True)
    target.write_bytes(marked_words())
    monkeypatch.setattr(words, "LOCALE", tmp_path / "locale")
    words.catalogue.cache_clear()
    words.languages.cache_clear()
    yield
    words.catalogue.cache_clear()
    words.languages.cache_clear()


class Reader(HTMLParser):
    """Collects what a page shows or reads out, without what people wrote and what machines read."""

    SHOWN = ("alt", "aria-label", "placeholder", "title", "aria-description")
    NOT_WORDS = ("script", "style", "time", "kbd", "code", "svg")  # times are written by the locale's own data
    VOID = ("input", "link", "meta", "br", "hr", "img", "source", "wbr", "use", "path")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        hidden = bool(self._open and self._open[-1][1]) or tag in self.NOT_WORDS or given.get("dir") == "auto"
        hidden = hidden or (tag == "option" and given.get("lang") is not None)
        if not hidden:
            self.texts += [value for name in self.SHOWN if (value := given.get(name))]
        if tag not in self.VOID:
            self._open.append((tag, hidden))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self._open and self._open[-1][1]):
            self.texts.append(data.strip())


def unmarked(html: str, data: tuple[str, ...] = ()) -> list[str]:
    """The texts of a page that hold words outside ⟦ and ⟧, and are not among ``data`` (names, addresses)."""
    reader = Reader()
    reader.feed(html)
    found = []
    for shown in reader.texts:
        depth, outside = 0, []
        for character in shown:
            depth += (character == "⟦") - (character == "⟧")
            outside.append(character if depth == 0 else " ")
        left = "".join(outside)
        for value in sorted((*data, "Everyline"), key=len, reverse=True):
            left = left.replace(value, " ")
        if re.search(r"[^\W\d_]{2,}", left):
            found.append(shown)
    return found


def test_sees_a_text_that_is_not_marked() -> None:
    page = '<p>⟦Sent ⟦now⟧⟧, 12</p><p dir="auto">my words</p><a title="Go">⟦Go⟧</a><p>Ann wrote</p><p>Ann</p>'
    assert unmarked(page, ("Ann",)) == ["Go", "Ann wrote"]


@pytest.mark.req("P5")
async def test_the_sign_in_page_shows_only_what_is_for_translation(
    pseudo: None, client: httpx.AsyncClient, sign_in: SignInAs
) -> None:
    await sign_in("admin")
    page = await client.get("/sign-in", headers={"accept-language": PSEUDO})
    assert page.status_code == 200
    assert "⟦Sign in⟧" in page.text
    assert unmarked(page.text) == []


@pytest.mark.req("P5")
@pytest.mark.parametrize(
    "path",
    [
        "/desk",
        "/desk/cases/{case}",
        "/setup/lines",
        "/setup/queues",
        "/setup/quarantine",
        "/knowledge",
        "/knowledge/health",
    ],
)
async def test_pages_show_only_what_is_for_translation(
    pseudo: None, path: str, ground: Ground, client: httpx.AsyncClient, sign_in: SignInAs
) -> None:
    line = await MailLine.add(ground)
    admin = await sign_in("admin", name="Zed Quill", queues=(line.queue_id,), all_queues=True, available=True)
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        await tx.execute(
            text("update agent set language = :language where id = :id"), {"language": PSEUDO, "id": admin.id}
        )
        case_id = await tx.value(select(func.max(Delivery.case_id)))
        named = await tx.column(text("select name from queue union select name from agent"))
        data = (
            *named,
            admin.email,
            "ZQ",
            "Jane Doe",
            "JD",
            "jane.doe@example.org",
            "help@county.example",
            "County help",
            "Dog license",
            "Angla",  # the case's language, by the locale's own data
        )
    page = await client.get(path.format(case=case_id), headers=admin.cookie)
    assert page.status_code == 200, page.text[:300]
    assert page.text.count("⟦") > 10
    assert unmarked(page.text, data) == []
