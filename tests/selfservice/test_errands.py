"""Errands: carried out once for a key, and never for more than was shown of who asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from everyline.ground.errors import Invalid
from everyline.ground.installation import Ground
from everyline.selfservice import errands
from everyline.selfservice.errands import Done, Down, Refused
from everyline.selfservice.errands.contract import asked, declared, read
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Kind, Value
from tests.selfservice.errand_house import House

pytestmark = pytest.mark.req("V3", "W3")
HOME, NEXT = "12 Harbor Street\nBellingham, WA 98225", "7 Lake Road\nBellingham, WA 98226"


@pytest.fixture
async def house(ground: Ground) -> House:
    return await House.open(ground)


def test_every_contract_says_what_it_changes_and_needs() -> None:
    known = errands.known()
    assert {"change_address", "set_preferences", "case_status"} <= set(known)
    for name, contract in known.items():
        assert contract.name == name
        assert contract.title
        assert contract.changes.endswith(".")
        assert all(one.words for one in contract.inputs)
    assert known["change_address"].required == {"address"}
    assert known["change_address"].needs is Level.PROVED
    assert known["change_address"].undo_for is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    when: date = asked(Kind.DATE, "Day")
    sure: bool | None = asked(Kind.YES_NO, "Sure?", optional=True)


def test_inputs_are_typed_and_each_fault_is_said() -> None:
    async def nothing(_asking: Any, _given: Any) -> Any:
        raise AssertionError

    errand = declared(nothing, Given, name="nothing", title="Nothing", changes="Nothing.")
    day = Value(Kind.TEXT, "2026-03-05")
    assert read(errand, {"when": day, "sure": Value(Kind.TEXT, "yes")}, date(2026, 1, 1)) == Given(
        when=date(2026, 3, 5), sure=True
    )
    assert read(errand, {"when": day}, date(2026, 1, 1)).sure is None
    with pytest.raises(Invalid) as told:
        read(errand, {"sure": Value(Kind.TEXT, "perhaps"), "other": day}, date(2026, 1, 1))
    assert set(told.value.fields) == {"when", "sure", "other"}
    assert "Day: This is needed." in told.value.message


async def test_the_same_key_three_times_at_once_does_it_once(house: House) -> None:
    ann = await house.customer()
    found = await asyncio.gather(*(house.does("change_address", ann, "run:1:1", address=HOME) for _ in range(3)))
    assert isinstance(found[0], Done)
    assert found[0] == found[1] == found[2]
    assert await house.value("select count(*) from errand_done") == 1
    assert len(await house.points(ann)) == 1
    assert len(await house.letters("ann@home.example")) == 1
    assert await house.does("change_address", ann, "run:1:1", address=HOME) == found[0]
    assert await house.value("select count(*) from event where kind = 'errand.done'") == 1


async def test_a_key_is_for_one_thing_and_one_customer(house: House) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    await house.done("change_address", ann, "run:2:1", address=HOME)
    other = await house.does("change_address", ann, "run:2:1", address=NEXT)
    theirs = await house.does("change_address", bob, "run:2:1", address=HOME)
    elsewhere = await house.does("case_status", ann, "run:2:1")
    for refused in (other, theirs, elsewhere):
        assert isinstance(refused, Refused)
        assert "12 Harbor" not in refused.told
    assert not await house.points(bob)
    assert len(await house.points(ann)) == 1
    assert isinstance(await house.does("change_address", ann, "", address=HOME), Done)
    assert isinstance(await errands.carry_out(house.ground, "change_address", {}, ann, "k" * 201), Down)


async def test_what_was_kept_is_told_again_only_to_who_shows_as_much(house: House) -> None:
    ann = await house.customer()
    number = await house.case(ann, "My secret matter")
    told = await house.done("case_status", ann, "run:3:1", number=str(number))
    assert "My secret matter" in told.told
    again = await house.does("case_status", replace(ann, level=Level.ADDRESS), "run:3:1", number=str(number))
    assert isinstance(again, Refused)
    assert again.wants is Level.PROVED
    assert "secret" not in again.told


async def test_a_refusal_is_not_kept(house: House) -> None:
    ann = await house.customer()
    poor = await house.does("change_address", replace(ann, level=Level.ADDRESS), "run:4:1", address=HOME)
    assert isinstance(poor, Refused)
    assert poor.wants is Level.PROVED
    bad = await house.does("change_address", ann, "run:4:1", address="?")
    assert isinstance(bad, Refused)
    assert bad.told.startswith("New address: ")
    assert bad.wants is None
    assert isinstance(await house.does("change_address", ann, "run:4:1"), Refused)
    assert isinstance(await house.does("change_address", ann, "run:4:1", address=HOME), Done)


async def test_a_level_is_no_more_than_what_is_on_record_bears_out(house: House) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    unproved = await house.customer("new@home.example", "New Man", Level.SIGNED_IN, verified=False)
    claims = {
        "nobody": Who(None, Level.SIGNED_IN, None),
        "said so": replace(ann, level=Level.UNKNOWN),
        "by an address": replace(ann, level=Level.ADDRESS),
        "by somebody else's point": replace(ann, level=Level.SIGNED_IN, point_id=bob.point_id),
        "by a point that there is not": replace(ann, level=Level.PROVED, point_id=10**9),
        "signed in by nothing": replace(ann, level=Level.SIGNED_IN, point_id=None),
        "an unproved point": unproved,
        "no such customer": Who(10**9, Level.SIGNED_IN, ann.point_id),
    }
    for how, who in claims.items():
        found = await house.does("change_address", who, address=HOME)
        assert isinstance(found, Refused), how
        assert found.wants is Level.PROVED, how
    assert await house.value("select count(*) from contact_point where kind = 'postal'") == 0
    by_knowledge = replace(ann, point_id=None)
    assert isinstance(await house.does("change_address", by_knowledge, address=HOME), Done)


async def test_a_merged_customer_is_the_one_that_they_became(house: House) -> None:
    ann, old = await house.customer(), await house.customer("ann@work.example", "Ann Lee")
    number = await house.case(old, "From work")
    before = await house.done("change_address", old, "run:5:1", address=HOME)
    await house.merge(ann, old)
    for who in (ann, old):
        assert "From work" in (await house.done("case_status", who, number=str(number))).told
    assert await house.done("change_address", old, "run:5:1", address=HOME) == before
    assert await house.value("select count(*) from errand_done where customer_id = :id", id=ann.customer_id) == 3
    undone = await errands.undo(house.ground, before.done_id, ann)
    assert isinstance(undone, Done), undone


async def test_what_is_switched_off_is_refused(house: House) -> None:
    ann = await house.customer()
    async with house.ground.database.transaction() as tx:
        from everyline.selfservice.errands.settings import set_errand

        await set_errand(tx, None, "case_status", offered=False, queue_id=None)
    found = await house.does("case_status", ann)
    assert isinstance(found, Refused)
    assert isinstance(await house.does("no_such_errand", ann), Down)


async def test_too_often_within_an_hour_is_refused(house: House) -> None:
    ann = await house.customer()
    most = errands.known()["change_address"].most_an_hour
    for n in range(most):
        await house.done("change_address", ann, address=f"{n + 1} Harbor Street\nBellingham, WA 98225")
    assert isinstance(await house.does("change_address", ann, address=NEXT), Refused)


async def test_secrets_and_outcomes_are_not_readable_in_the_table(house: House) -> None:
    ann = await house.customer()
    number = await house.case(ann, "My secret matter")
    await house.done("case_status", ann, number=str(number))
    [row] = await house.rows("select * from errand_done")
    assert b"secret" not in bytes(row.outcome)
    assert row.inputs == {"number": str(number)}
    assert (row.level, row.channel) == (2, "email")


async def test_only_the_customer_and_agents_undo_and_only_once(house: House, sign_in: Any) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    agent = await sign_in("agent")
    done = await house.done("change_address", ann, address=HOME)
    missing = await errands.undo(house.ground, 10**9, bob)
    assert isinstance(missing, Refused)
    assert await errands.undo(house.ground, done.done_id, bob) == missing
    poor = await errands.undo(house.ground, done.done_id, replace(ann, level=Level.ADDRESS))
    assert isinstance(poor, Refused)
    assert poor.wants is Level.PROVED
    both = await asyncio.gather(*(errands.undo(house.ground, done.done_id, agent.id) for _ in range(2)))
    assert sorted(type(one).__name__ for one in both) == ["Done", "Refused"]
    assert await house.value("select undone_by from errand_done where id = :id", id=done.done_id) == agent.id
    assert not await house.points(ann)


async def test_after_its_time_it_cannot_be_undone(house: House) -> None:
    ann = await house.customer()
    done = await house.done("change_address", ann, address=HOME)
    await house.rows("update errand_done set undo_until = now() - interval '1 second' returning id")
    late = await errands.undo(house.ground, done.done_id, ann)
    assert isinstance(late, Refused)
    assert len(await house.points(ann)) == 1
    read_only = await house.done("case_status", ann)
    assert isinstance(await errands.undo(house.ground, read_only.done_id, ann), Refused)


@pytest.mark.parametrize(
    "words",
    [
        "x" * 5000,
        "a\x00b'; drop table customer; --",
        "lone \ud800 surrogate",
        "{customer.secret} {{ 7 * 7 }} <script>alert(1)</script>",
        "🌳" * 300 + " tree",
        "   ",
    ],
)
async def test_whatever_is_said_is_done_as_it_is_or_refused(house: House, words: str) -> None:
    ann = await house.customer()
    found = await house.does("new_case", ann, subject="Tree", text=words)
    assert isinstance(found, Done | Refused), found
    kept = await house.value("select count(*) from errand_done")
    assert kept == isinstance(found, Done)
    told = await house.does("new_case", ann, subject=words, text="Tree", name=words, email=words, queue=words)
    assert isinstance(told, Refused)
    assert await house.value("select count(*) from customer") >= 1
