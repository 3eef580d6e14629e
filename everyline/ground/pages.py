"""Pages: Jinja templates, each noun's and face's own, over the shared frames and components.

A template is named by its folder: ``desk/case.html`` stands in ``everyline/desk/templates``; the shared ones have plain
names. Undefined names are errors.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import ChainMap
from collections.abc import Callable, MutableMapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.runtime import Context
from jinja2.utils import urlize
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from everyline.ground import moments, words

PACKAGE = Path(__file__).parent.parent
STATIC = PACKAGE / "static"

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)

# a page calls these a hundred times and more, nearly always with the same values; none of them looks at anything else
REMEMBERED = {
    "components/marks.html": (
        "icon",
        "mark",
        "channel_mark",
        "avatar",
        "pip",
        "state_dot",
        "badge",
        "count",
        "unread",
        "key",
        "moment",
    ),
    "components/controls.html": ("button",),
    "components/surfaces.html": ("menu_button", "menu_item", "menu_rule", "menu_head", "nav_item"),
    "components/desk.html": ("list_row",),
    "components/words.html": ("words",),
}
MOST_REMEMBERED = 4096  # of one macro


class _Context(Context):
    """Calls what a template calls. Jinja looks at each call whether the callee wants the context; none of ours does."""

    def call(__self, __obj: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: N805 -- as Jinja has it
        if kwargs:
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
        return __obj(*args, **kwargs)


class _Template(jinja2.Template):
    """A template whose macros are the same for all who import them: no template has globals of its own."""

    def _get_default_module(self, ctx: Context | None = None) -> Any:  # noqa: ARG002 -- as Jinja has it
        return super()._get_default_module()


class _Environment(jinja2.Environment):
    """Jinja's environment, in which ``shell.keys`` is what a dict holds under that name, never its method."""

    context_class = _Context
    template_class = _Template

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return ChainMap(d, self.globals) if d else self.globals

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@cache
def environment() -> jinja2.Environment:
    """The environment of all templates."""
    prefixed = {
        folder.parent.name: FileSystemLoader(folder)  # a prefix holds no slash, so a channel goes by its own name
        for folder in sorted(PACKAGE.glob("**/templates"))
        if folder.parent.name != "ground"
    }
    found = _Environment(
        loader=ChoiceLoader([FileSystemLoader(PACKAGE / "ground" / "templates"), PrefixLoader(prefixed)]),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # a template is looked for on disk once, not at every include
        cache_size=-1,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.newstyle_gettext = True  # type: ignore[attr-defined]  # -- of the i18n extension: texts take their values by name
    found.globals.update({"asset": asset, "_": _shown, "gettext": _shown, "ngettext": _counted})
    found.filters["clock"] = moments.clock
    found.filters["linked"] = linked
    for template, names in REMEMBERED.items():
        module = found.get_template(template).module
        for name in names:
            setattr(module, name, _remembered(getattr(module, name)))
    return found


def _entries(value: Any) -> Any:
    """A dict as something that can be a key, with the types of what is in it."""
    return (*value.items(), *map(type, value.values())) if type(value) is dict else value


def _remembered(macro: Callable[..., Markup]) -> Callable[..., Markup]:
    """The macro, which is put together once for the same words in the same language. Attributes hold addresses: a button that
    has some of its own is another one on nearly every page, and not worth remembering."""
    kept: dict[Any, Markup] = {}

    def call(*values: Any, **named: Any) -> Markup:
        if "attrs" in named:
            return macro(*values, **named)
        # with the types, because markup equals the text that would be escaped, and True equals 1
        kinds = (*map(type, values), *map(type, named.values()))
        key = (words.language(), len(values), *values, *named, *named.values(), *kinds)
        if dict in kinds:
            key = tuple(map(_entries, key))
        found = kept.get(key)
        if found is None:
            if len(kept) > MOST_REMEMBERED:
                kept.clear()
            found = kept[key] = macro(*values, **named)
        return found

    return call


# Jinja's own versions of these two do more at each call than all else that a page does with a text.
@lru_cache(maxsize=16384)
def _markup(_language: str, message: str) -> Markup:
    return Markup(words._(message))  # noqa: S704 -- what developers and translators wrote


def _shown(message: str, /, **values: Any) -> Markup:
    """A message in the current language; values are escaped into their places."""
    text = _markup(words.language(), message)
    return text % values if values or "%" in message else text


def _counted(singular: str, plural: str, number: int, /, **values: Any) -> Markup:
    """A message in the right plural form."""
    return Markup(words.ngettext(singular, plural, number)) % {"num": number, **values}  # noqa: S704 -- as above


_ADDRESS = re.compile(r"://|www\.|@|mailto:|\.(?:com|net|org)\b", re.IGNORECASE)


def linked(text: str) -> Markup:
    """A text with its addresses as links. What holds none is not taken apart word by word."""
    if not _ADDRESS.search(text):
        return escape(text)
    return Markup(urlize(escape(text), target="_blank", rel="noopener noreferrer"))  # noqa: S704 -- escaped before


@cache
def asset(path: str) -> str:
    """The address of a file below ``everyline/static``, with the hash of its content, so that it can be cached for ever."""
    file = STATIC / path
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.exists() else "missing"
    return f"/static/{path}?{digest}"


def render(template: str, **context: Any) -> str:
    """The text of a template."""
    return environment().get_template(template).render(lang=words.language(), **context)


def page(template: str, *, status: int = 200, headers: dict[str, str] | None = None, **context: Any) -> HTMLResponse:
    """A page or a fragment."""
    return HTMLResponse(render(template, **context), status, headers)


def toast(text: str, *, undo: str = "", seconds: int = 6, tone: str = "") -> dict[str, str]:
    """The header that has the page say ``text`` for a while; ``undo`` is the address that takes it back by POST."""
    said = {"text": text, "undo": undo, "seconds": seconds, "tone": tone}
    return {"HX-Trigger": json.dumps({"toast": {name: value for name, value in said.items() if value}})}
