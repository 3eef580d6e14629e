"""What is wrong with a source as it is declared. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields as parts

from pydantic import ValidationError

from everyline.ground.words import _
from everyline.selfservice.slots import Kind
from everyline.selfservice.sources import mapping, sql, web
from everyline.selfservice.sources.declared import Http, Secrets, Source, Sql, Table, form, names

ADDRESSES = {
    "email": "mailbox",
    "phone": "number",
    "address": "postal",
}  # kinds of slots that hold an address on record


def faults(source: Source, secrets: Secrets) -> dict[str, str]:
    """What is wrong, by the names of settings, ``inputs`` and ``fields``; empty: nothing."""
    try:
        form(Source).validate_python({one.name: getattr(source, one.name) for one in parts(source)})
    except ValidationError as error:
        return {str(one["loc"][0]): one["msg"] for one in error.errors(include_url=False)}
    found: dict[str, str] = {}
    known = {one.slot.name: one.slot.kind for one in source.inputs}
    match source.settings:
        case Http():
            found = web.faults(source.settings, secrets, known)
            if strange := [one.at for one in source.fields if not mapping.is_pointer(one.at)]:
                found["fields"] = _("This is no JSON pointer: %s. It looks like /balance/due.") % strange[0]
        case Sql():
            found = sql.faults(source.settings, known)
        case Table():
            if not source.inputs:
                found["inputs"] = _("A row is found by at least one of its columns.")
            if any(one.slot.kind is Kind.SECRET for one in source.fields):
                found["fields"] = _("A secret is never read from a table. Ask for it instead: then it is compared.")
            if both := set(known) & set(names(source.fields)):
                found["fields"] = _("This name stands there twice: %s.") % ", ".join(sorted(both))
    for where, columns in (("inputs", source.inputs), ("fields", source.fields)):
        if twice := [name for name, n in Counter(names(columns)).items() if n > 1]:
            found[where] = _("This name stands there twice: %s.") % ", ".join(twice)
        if bare := [one.slot.name for one in columns if one.slot.kind is Kind.CHOICE and not one.slot.choices]:
            found[where] = _("There is nothing to choose from: %s.") % ", ".join(bare)
    given = [one for one in source.inputs if one.given == "address"]
    if strange := [one.slot.name for one in given if one.slot.kind not in ADDRESSES]:
        found["inputs"] = (
            _("An address on record is an email address, a number or a postal address, not %s.") % strange[0]
        )
    if source.proof and not (given and source.asked):
        found["proof"] = _(
            "To be proof it is asked with something that a customer knows, and with their address on record."
        )
    return found
