"""The sample company is what a real one would be after sixty days."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from everyline.cases.models import Case, Message
from everyline.channel_contract import Raw
from everyline.channel_registry import channel
from everyline.ground.installation import Ground
from everyline.lines.models import Line
from everyline.lines.queries import as_channel_sees
from everyline.sample import loader
from everyline.sample.generator import CASES


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
