"""What comes in becomes a message of a case, or waits in quarantine with its reason."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case, CaseLink, Message
from everyline.channel_contract import Raw
from everyline.customers.models import ContactPoint, Customer
from everyline.dispatch import actions as dispatch
from everyline.dispatch.models import Delivery
from everyline.ground.installation import Ground
from everyline.intake import actions as intake
from everyline.intake.door import GROUP, IntakeDoor
from everyline.intake.models import Inbound
from everyline.queues import actions as queues
from everyline.queues.models import QueueEntry
from tests.mail import MailLine, mail


async def rows(ground: Ground, statement: object) -> list[object]:
    async with ground.database.transaction() as tx:
        return list(await tx.rows(statement))  # type: ignore[arg-type]  # -- any select


@pytest.mark.req("A2", "E1", "E3")
async def test_a_mail_becomes_a_case_that_waits_and_is_acknowledged(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        case = await tx.first(select(Case.__table__))
        entry = await tx.first(select(QueueEntry.__table__))
        acknowledgement = await tx.first(select(Delivery.__table__))
        customer = await tx.first(select(Customer.__table__))
    assert case is not None
    assert entry is not None
    assert acknowledgement is not None
    assert customer is not None
    assert (case.subject, case.status, case.language, case.unread) == ("Dog license", "new", "en", True)
    assert case.due_at is not None
    assert (entry.case_id, entry.queue_id, entry.state) == (case.id, line.queue_id, "waiting")
    assert customer.name == "Jane Doe"
    assert acknowledgement.address == "jane.doe@example.org"
    assert acknowledgement.automatic
    assert str(case.number) in acknowledgement.text
    assert "4 hours" in acknowledgement.text


@pytest.mark.req("P2", "E1")
async def test_the_same_mail_five_times_at_once_is_one(ground: Ground) -> None:
    line = await MailLine.add(ground)
    raw = mail(message_id="<same@example.org>")
    kept = await line.receive(*[raw] * 5)
    assert sorted(kept) == [False] * 4 + [True]
    assert len(await rows(ground, select(Case.id))) == 1
    assert len(await rows(ground, select(Delivery.id))) == 1


@pytest.mark.req("P2", "E1")
async def test_the_same_mail_to_two_lines_reaches_both(ground: Ground) -> None:
    one, two = await MailLine.add(ground), await MailLine.add(ground, "tax@county.example", "Tax")
    raw = mail(message_id="<same@example.org>")
    await asyncio.gather(one.receive(raw, process=False), two.receive(raw, process=False))
    await one.process()
    found = await rows(ground, select(Case.queue_id).order_by(Case.queue_id))
    assert [row.queue_id for row in found] == sorted([one.queue_id, two.queue_id])  # type: ignore[attr-defined]  # -- a row


@pytest.mark.req("P2")
async def test_twenty_mails_of_a_new_customer_at_once_make_one_customer(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(*[mail(subject=f"Matter {n}") for n in range(20)], process=False)
    await asyncio.gather(*(line.process() for _ in range(3)))
    assert len(await rows(ground, select(Customer.id))) == 1
    assert len(await rows(ground, select(ContactPoint.id))) == 1
    assert len(await rows(ground, select(Case.id))) == 20
    # a loop could write like this too: only some of them are acknowledged
    assert 0 < len(await rows(ground, select(Delivery.id))) <= 8


async def _answered(ground: Ground, sign_in: object, line: MailLine) -> tuple[int, str, int]:
    """A case that an agent has answered: its id, what the answer is called on the wire, and the agent."""
    agent = await sign_in(queues=(line.queue_id,))  # type: ignore[operator]  # -- the fixture
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        case_id = await tx.value(select(Case.id))
        await queues.pick(tx, agent.id, case_id)
        message_id = await dispatch.answer(tx, ground.signer, agent.id, case_id, "Bring the vaccination card.")
        external_id = await tx.value(select(Message.external_id).where(Message.id == message_id))
    return case_id, external_id, agent.id


@pytest.mark.req("E1", "A2")
async def test_the_customers_answer_goes_into_the_case(ground: Ground, sign_in: object) -> None:
    line = await MailLine.add(ground)
    case_id, external_id, _agent = await _answered(ground, sign_in, line)
    await line.receive(mail("Thank you, I will.", subject="quite another subject", In_Reply_To=f"<{external_id}>"))
    found = await rows(ground, select(Message.case_id).where(Message.direction == "in"))
    assert [row.case_id for row in found] == [case_id, case_id]  # type: ignore[attr-defined]  # -- a row


@pytest.mark.req("E1")
async def test_a_subject_alone_leads_into_no_case(ground: Ground, sign_in: object) -> None:
    line = await MailLine.add(ground)
    await _answered(ground, sign_in, line)
    await line.receive(mail("Me again", subject="Re: Dog license [10001] (#1)"))
    assert len(await rows(ground, select(Case.id))) == 2


@pytest.mark.req("E1", "P3")
async def test_a_stranger_who_quotes_a_reference_opens_a_case_of_their_own(ground: Ground, sign_in: object) -> None:
    line = await MailLine.add(ground)
    case_id, external_id, _agent = await _answered(ground, sign_in, line)
    token = ground.signer.sign(case_id)
    await line.receive(
        mail(
            "What did she write?",
            sender="mallory@evil.example",
            In_Reply_To=f"<{external_id}>",
            to=f"help+{token}@county.example",
        )
    )
    async with ground.database.transaction() as tx:
        theirs = await tx.first(select(Case.__table__).where(Case.id != case_id))
        link = await tx.first(select(CaseLink.__table__))
        of_case = await tx.rows(select(Message.text).where(Message.case_id == case_id, Message.direction == "in"))
    assert theirs is not None
    assert link is not None
    assert (link.case_id, link.other_id, link.kind) == (theirs.id, case_id, "quotes")
    assert len(of_case) == 1


@pytest.mark.req("E1", "P3")
async def test_a_guessed_reference_leads_nowhere(ground: Ground, sign_in: object) -> None:
    line = await MailLine.add(ground)
    case_id, _external_id, _agent = await _answered(ground, sign_in, line)
    forged = f"c{case_id}x{'a' * 16}"
    await line.receive(
        mail("Let me in", In_Reply_To=f"<{forged}.1234@county.example>", to=f"help+{forged}@county.example")
    )
    assert len(await rows(ground, select(Case.id))) == 2
    assert await rows(ground, select(CaseLink.case_id)) == []


@pytest.mark.req("E5")
async def test_the_answer_to_a_question_comes_back_to_who_asked(ground: Ground, sign_in: object) -> None:
    from everyline.cases.rules import Status

    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,))  # type: ignore[operator]  # -- the fixture
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        case_id = await tx.value(select(Case.id))
        await queues.pick(tx, agent.id, case_id)
        await dispatch.answer(
            tx, ground.signer, agent.id, case_id, "Which breed is it?", then=Status.WAITING_FOR_CUSTOMER
        )
        token = ground.signer.sign(case_id)
        assert await tx.value(select(Case.status)) == "waiting for customer"
    await line.receive(mail("A beagle.", to=f"help+{token}@county.example"))
    async with ground.database.transaction() as tx:
        case = await tx.first(select(Case.__table__))
        entry = await tx.first(select(QueueEntry.__table__).where(QueueEntry.state == "waiting"))
    assert case is not None
    assert entry is not None
    assert (case.status, case.unread) == ("open", True)
    assert entry.preferred_agent_ids == [agent.id]


@pytest.mark.req("E3")
async def test_a_robot_is_kept_but_never_answered(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(mail("I am away", subject="Out of office", Auto_Submitted="auto-replied"))
    assert len(await rows(ground, select(Case.id))) == 1
    assert await rows(ground, select(Delivery.id)) == []


@pytest.mark.req("E1", "P2")
async def test_what_cannot_be_read_waits_in_quarantine_and_holds_up_nobody(ground: Ground, sign_in: object) -> None:
    line = await MailLine.add(ground)
    door = IntakeDoor(ground)
    await door.start()
    await door.keep(line.id, Raw("empty", b"", {}))
    await door.stop()
    await line.receive(mail())
    found = await rows(ground, select(Inbound.state, Inbound.cause).order_by(Inbound.id))
    assert [row.state for row in found] == ["quarantined", "done"]  # type: ignore[attr-defined]  # -- a row
    assert found[0].cause  # type: ignore[attr-defined]  # -- a row
    agent = await sign_in("supervisor")  # type: ignore[operator]  # -- the fixture
    async with ground.database.transaction() as tx:
        inbound_id = await tx.value(select(Inbound.id).where(Inbound.state == "quarantined"))
        assert await intake.retry(tx, agent.id, [inbound_id]) == 1
    await line.process()
    async with ground.database.transaction() as tx:
        assert await tx.value(select(Inbound.state).where(Inbound.id == inbound_id)) == "quarantined"
        assert await intake.discard(tx, agent.id, [inbound_id]) == 1
        assert await tx.value(select(Inbound.state).where(Inbound.id == inbound_id)) == "discarded"


@pytest.mark.req("P2")
async def test_who_waits_when_the_door_closes_is_told_no_and_what_was_told_yes_is_kept(ground: Ground) -> None:
    line = await MailLine.add(ground)
    door = IntakeDoor(ground)
    await door.start()
    coming = [asyncio.create_task(door.keep(line.id, Raw(f"{n}", mail()))) for n in range(GROUP + 50)]
    assert await coming[0]
    late = asyncio.create_task(door.keep(line.id, Raw("late", mail())))
    await asyncio.sleep(0)
    await door.stop()
    async with asyncio.timeout(40):
        outcomes = await asyncio.gather(*coming, late, return_exceptions=True)
    assert isinstance(outcomes[-1], OSError)
    kept = {row.external_id for row in await rows(ground, select(Inbound.external_id))}  # type: ignore[attr-defined]  # -- a row
    assert {f"{n}" for n, outcome in enumerate(outcomes[:-1]) if outcome is True} <= kept


@pytest.mark.req("P2")
async def test_a_row_that_the_database_refuses_is_set_aside_alone(ground: Ground) -> None:
    line = await MailLine.add(ground)
    async with ground.database.transaction() as tx:
        await tx.execute(text("alter table message add constraint refuses check (subject <> 'refuse me')"))
    await line.receive(mail(subject="before"), mail(subject="refuse me"), mail(subject="after"))
    async with ground.database.transaction() as tx:
        subjects = [row.subject for row in await tx.rows(select(Case.subject).order_by(Case.id))]
        waiting = await tx.first(select(Inbound.__table__).where(Inbound.state == "new"))
    assert subjects == ["before", "after"]
    assert waiting is not None
    assert "refuses" in waiting.cause


@pytest.mark.req("E1")
async def test_a_bounce_comes_back_to_its_case_and_marks_the_address(ground: Ground, sign_in: object) -> None:
    line = await MailLine.add(ground)
    case_id, external_id, _agent = await _answered(ground, sign_in, line)
    report = (
        b"From: MAILER-DAEMON@mx.example\r\nTo: help@county.example\r\nSubject: Undelivered\r\nMessage-ID: <b1@mx.example>\r\n"
        b"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nNo such person.\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        b"Final-Recipient: rfc822; jane.doe@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <"
        + external_id.encode()
        + b">\r\nSubject: Re: Dog license\r\n\r\nx\r\n--b--\r\n"
    )
    await line.receive(report)
    async with ground.database.transaction() as tx:
        delivery = await tx.first(select(Delivery.__table__).where(Delivery.external_id == external_id))
        point = await tx.first(select(ContactPoint.__table__).where(ContactPoint.address == "jane.doe@example.org"))
        case = await tx.first(select(Case.__table__).where(Case.id == case_id))
    assert delivery is not None
    assert point is not None
    assert case is not None
    assert delivery.state == "bounced"
    assert point.bad_since is not None
    assert "5.1.1" in point.bad_reason
    assert case.unread
