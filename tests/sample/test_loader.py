"""The sample company is what a real one would be after sixty days."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case, Message
from everyline.channel_contract import Raw
from everyline.channel_registry import channel
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.lines.models import Line
from everyline.lines.queries import as_channel_sees
from everyline.sample import loader
from everyline.sample.generator import CASES

REFERENCES = text("""
    select conname, conrelid::regclass::text as referring, confrelid::regclass::text as referred,
      (select string_agg(format('a.%I = b.%I', own.attname, other.attname), ' and ')
       from unnest(conkey, confkey) as pair(own_number, other_number)
       join pg_attribute own on own.attrelid = conrelid and own.attnum = own_number
       join pg_attribute other on other.attrelid = confrelid and other.attnum = other_number) as same,
      (select string_agg(format('a.%I is not null', attname), ' and ') from pg_attribute
       where attrelid = conrelid and attnum = any(conkey)) as given
    from pg_constraint where contype = 'f' and conparentid = 0
""")


async def broken_references(tx: Tx) -> dict[str, int]:
    """Rows of each foreign key that refer to nothing."""
    found = {}
    for one in await tx.rows(REFERENCES):
        nowhere = f"select count(*) from {one.referring} a where {one.given} and not exists (select from {one.referred} b where {one.same})"
        if n := await tx.value(text(nowhere)):
            found[one.conname] = n
    return found


@pytest.mark.req("P1")
async def test_what_its_rows_refer_to_is_there_though_nobody_looked_while_they_were_written(ground: Ground) -> None:
    await loader.load(ground, smtp_host="127.0.0.1", smtp_port=9)
    async with ground.database.transaction() as tx:
        assert await broken_references(tx) == {}
        await tx.execute(text("set local session_replication_role = replica"))
        await tx.execute(text("update message set interaction_id = -1 where id = (select min(id) from message)"))
        assert list((await broken_references(tx)).values()) == [1], "a broken one would be found"


@pytest.mark.req("P1", "E2")
async def test_what_came_by_form_carries_what_the_form_asks_for(ground: Ground) -> None:
    await loader.load(ground, smtp_host="127.0.0.1", smtp_port=9)
    async with ground.database.transaction() as tx:
        line = await tx.first(select(Line.__table__).where(Line.channel == "webform"))
        assert line is not None
        rows = await tx.rows(
            select(Case.subject, Message.facts)
            .join(Message, Message.case_id == Case.id)
            .where(Case.line_id == line.id, Message.at == Case.opened_at)
        )
        assert len(await tx.column(select(Case.id))) == CASES
    form = as_channel_sees(line, ground.vault, ground.signer)
    asked = {question.label: question for question in form.settings.asked}
    real = channel("webform").parse(form, Raw("x", b'{"submission": "x", "number": "+13605550142", "text": "Hello"}'))[
        0
    ]
    assert len(rows) > 20
    for row in rows:
        fields = row.facts["fields"]
        assert set(asked) <= set(fields)
        assert set(fields) - set(asked) <= set(real.fields)
        assert row.subject == fields["Kind of work"]
        assert fields["Kind of work"] in asked["Kind of work"].choices
