"""What begins on a line takes the first of its routes that holds."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case
from everyline.ground.database import Row
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from everyline.lines import queries
from everyline.lines.conditions import Route, When
from everyline.queues.models import QueueEntry
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("V2", "Q1")


async def newest(ground: Ground) -> tuple[Row, Row]:
    async with ground.database.transaction() as tx:
        case = await tx.first(select(Case.__table__).order_by(Case.id.desc()).limit(1))
        entry = await tx.first(select(QueueEntry.__table__).order_by(QueueEntry.id.desc()).limit(1))
    return case, entry


async def test_it_goes_where_the_first_route_that_holds_leads(ground: Ground) -> None:
    line = await MailLine.add(ground)
    other = await MailLine.add(ground, "tax@county.example", "Tax")
    async with ground.database.transaction() as tx:
        await lines.keep_route(tx, None, line.id, Route(0, "Firms", When(kinds=("firm",)), other.queue_id))
        await lines.keep_route(
            tx, None, line.id, Route(0, "Spanish", When(languages=("es",)), other.queue_id, priority=1)
        )
    await line.receive(mail())
    assert (await newest(ground))[1].queue_id == line.queue_id, "no route holds"
    await line.receive(
        mail(
            "Buenos días, necesito renovar la licencia de mi perro. ¿Cómo puedo hacerlo? Muchas gracias.",
            subject="Licencia",
        )
    )
    case, entry = await newest(ground)
    assert (case.queue_id, entry.queue_id, entry.priority, case.priority) == (other.queue_id, other.queue_id, 1, 1)
    assert case.due_at is not None


async def test_who_comes_back_goes_to_the_queue_and_owner_of_their_open_case(ground: Ground, sign_in: object) -> None:
    line = await MailLine.add(ground)
    other = await MailLine.add(ground, "tax@county.example", "Tax")
    agent = await sign_in(queues=(line.queue_id,))  # type: ignore[operator]  # -- the fixture
    await line.receive(mail(subject="First"))
    async with ground.database.transaction() as tx:
        await tx.execute(text("update \"case\" set owner_id = :agent, status = 'open'"), {"agent": agent.id})
        await lines.keep_route(
            tx, None, other.id, Route(0, "Goes on", When(open_case=True), follows_case=True, last_agent=True)
        )
    await other.receive(mail(subject="Another matter", to="tax@county.example"))
    case, entry = await newest(ground)
    assert (case.subject, entry.queue_id, list(entry.preferred_agent_ids)) == (
        "Another matter",
        line.queue_id,
        [agent.id],
    )
    async with ground.database.transaction() as tx:
        await tx.execute(text("update \"case\" set status = 'closed'"))
    await other.receive(mail(subject="Third", to="tax@county.example"))
    assert (await newest(ground))[1].queue_id == other.queue_id, "no case of theirs is open any more"


async def test_routes_are_tried_in_their_order_and_can_be_moved(ground: Ground) -> None:
    line = await MailLine.add(ground)
    other = await MailLine.add(ground, "tax@county.example", "Tax")
    async with ground.database.transaction() as tx:
        first = await lines.keep_route(tx, None, line.id, Route(0, "Everything", When(), other.queue_id))
        second = await lines.keep_route(
            tx, None, line.id, Route(0, "English", When(languages=("en",)), line.queue_id, priority=2)
        )
    await line.receive(mail(subject="One"))
    assert (await newest(ground))[1].queue_id == other.queue_id
    async with ground.database.transaction() as tx:
        await lines.move_route(tx, None, line.id, second, -1)
        assert [one.id for one in await queries.routes(tx, line.id)] == [second, first]
    await line.receive(mail(subject="Two"))
    assert (await newest(ground))[1].queue_id == line.queue_id
    async with ground.database.transaction() as tx:
        await lines.drop_route(tx, None, line.id, second)
        with pytest.raises(NotFound):
            await lines.drop_route(tx, None, line.id, second)
        with pytest.raises(NotFound):
            await lines.keep_route(tx, None, line.id, Route(second, "Gone", When(), other.queue_id))


@pytest.mark.parametrize(
    "route",
    [
        Route(0, " ", When(), 1),
        Route(0, "Nowhere", When(languages=("en",))),
        Route(0, "Half a time", When(begins="08:00"), 1),
    ],
)
async def test_a_route_that_means_nothing_is_not_kept(ground: Ground, route: Route) -> None:
    line = await MailLine.add(ground)
    async with ground.database.transaction() as tx:
        with pytest.raises(Invalid):
            await lines.keep_route(tx, None, line.id, route)
        assert await queries.routes(tx, line.id) == ()


async def test_a_route_to_a_flow_that_is_gone_leads_to_the_lines_queue(ground: Ground) -> None:
    line = await MailLine.add(ground)
    async with ground.database.transaction() as tx:
        await lines.keep_route(tx, None, line.id, Route(0, "Flow", When(), flow="not-there"))
    await line.receive(mail())
    assert (await newest(ground))[1].queue_id == line.queue_id
