"""Errands of what a customer has with us: their address, how they are reached, how their cases stand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.portal.exporting import collected
from everyline.selfservice import errands
from everyline.selfservice.errands import Done, Refused
from everyline.selfservice.identity import Level
from tests.selfservice.errand_house import House

pytestmark = pytest.mark.req("V3", "W3")
HOME, NEXT = "12 Harbor Street\nBellingham, WA 98225", "7 Lake Road\nBellingham, WA 98226"


@pytest.fixture
async def house(ground: Ground) -> House:
    return await House.open(ground)


async def test_the_old_address_stays_as_a_former_one_and_old_mailboxes_are_told(house: House) -> None:
    ann = await house.customer()
    await house.point(ann, "mailbox", "ann@work.example", verified_at=now())
    await house.point(ann, "mailbox", "stranger@evil.example")
    await house.done("change_address", ann, address=HOME)
    await house.done("change_address", ann, address=NEXT)
    points = {point.address: point.bad_since is None for point in await house.points(ann)}
    assert points == {f"Ann Lee\n{HOME}": False, f"Ann Lee\n{NEXT}": True}
    for address in ("ann@home.example", "ann@work.example"):
        [_first, letter] = await house.letters(address)
        assert "postal address" in letter
        assert "Lake Road" not in letter
    assert not await house.letters("stranger@evil.example")


async def test_undoing_brings_the_address_before_back_and_tells_it(house: House) -> None:
    ann = await house.customer()
    await house.done("change_address", ann, address=HOME)
    done = await house.done("change_address", ann, address=NEXT)
    assert isinstance(await errands.undo(house.ground, done.done_id, ann), Done)
    [point] = await house.points(ann)
    assert (point.address, point.bad_since) == (f"Ann Lee\n{HOME}", None)
    assert "undone" in (await house.letters("ann@home.example"))[-1]


async def test_a_change_that_another_followed_is_not_undone(house: House) -> None:
    ann = await house.customer()
    first = await house.done("change_address", ann, address=HOME)
    await house.done("change_address", ann, address=NEXT)
    assert isinstance(await errands.undo(house.ground, first.done_id, ann), Refused)


async def test_two_of_one_household_have_one_address_and_twins_are_not_given_away(house: House) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    await house.done("change_address", ann, address=HOME)
    assert isinstance(await house.does("change_address", bob, address=HOME), Done)
    other = await house.customer("other@home.example", "Ann Lee")
    refused = await house.does("change_address", other, address=HOME)
    assert isinstance(refused, Refused)
    assert "customer" not in refused.told
    assert len(await house.points(ann)) == 1
    assert not await house.points(other)


async def test_going_back_to_a_former_address_makes_it_good(house: House) -> None:
    ann = await house.customer()
    for address in (HOME, NEXT, HOME):
        await house.done("change_address", ann, address=address)
    points = {point.address: point.bad_since is None for point in await house.points(ann)}
    assert points == {f"Ann Lee\n{HOME}": True, f"Ann Lee\n{NEXT}": False}
    same = await house.done("change_address", ann, address=HOME)
    assert isinstance(await errands.undo(house.ground, same.done_id, ann), Refused)


async def test_channel_and_language_are_chosen_and_brought_back(house: House) -> None:
    ann = await house.customer()
    number = await house.point(ann, "number", "+13605550142")
    done = await house.done("set_preferences", ann, by="Phone", language="Spanish")
    [point] = await house.points(ann, "number")
    assert (point.id, point.preferred) == (number, True)
    assert await house.value("select language from customer where id = :id", id=ann.customer_id) == "es"
    assert done.slots["language"].value == "Spanish"
    assert isinstance(await errands.undo(house.ground, done.done_id, ann), Done)
    assert await house.value("select language from customer where id = :id", id=ann.customer_id) == "en"


@pytest.mark.parametrize(
    "values", [{}, {"by": "Letter"}, {"by": "pigeon"}, {"language": "Klingon"}, {"by": "Email", "language": "Klingon"}]
)
async def test_what_cannot_be_preferred_is_refused_whole(house: House, values: dict[str, str]) -> None:
    ann = await house.customer()
    await house.point(ann, "number", "+13605550142", preferred=True)
    assert isinstance(await house.does("set_preferences", ann, **values), Refused)
    assert [point.preferred for point in await house.points(ann, "number")] == [True]


async def test_languages_go_by_their_own_names(house: House) -> None:
    ann = replace(await house.customer(), language="de")
    await house.done("set_preferences", ann, language="Französisch")
    await house.done("set_preferences", ann, language="Tiếng Việt")
    assert await house.value("select language from customer where id = :id", id=ann.customer_id) == "vi"


async def test_a_known_address_hears_the_state_and_proof_hears_all(house: House) -> None:
    ann = await house.customer()
    number = await house.case(ann, "My boundary fence")
    case_id = await house.value('select id from "case" where number = :n', n=number)
    for text, direction in (("Come by on Monday.", "out"), ("Thank you!", "in")):
        await house.rows(
            "insert into message (case_id, interaction_id, direction, contact_point_id, text, at) "
            "select :case, max(i.id), :way, :point, :text, now() from interaction i where i.case_id = :case returning id",
            case=case_id, way=direction, point=ann.point_id, text=text,
        )  # fmt: skip
    poor = await house.done("case_status", replace(ann, level=Level.ADDRESS), number=str(number))
    assert poor.told == f"Case {number}: received."
    assert set(poor.slots) == {"cases", "number", "state"}
    proved = await house.done("case_status", ann, number=str(number))
    assert "My boundary fence" in proved.told
    assert proved.slots["answer"].value == "Come by on Monday."
    assert str(number) in (await house.done("case_status", ann)).told


async def test_a_strangers_case_is_one_that_there_is_not(house: House) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    theirs = str(await house.case(bob, "Bob's own"))
    for level in (Level.ADDRESS, Level.PROVED, Level.SIGNED_IN):
        who = replace(ann, level=level)
        other = await house.does("case_status", who, number=theirs)
        none = await house.does("case_status", who, number="99999999")
        assert isinstance(other, Refused)
        assert isinstance(none, Refused)
        assert other.told.replace(theirs, "#") == none.told.replace("99999999", "#")
        assert other.wants == none.wants
    nobody = await house.does("case_status", replace(ann, level=Level.UNKNOWN), number=theirs)
    assert isinstance(nobody, Refused)
    assert nobody.wants is Level.ADDRESS
    assert (await house.done("case_status", ann)).slots["cases"].value == "0"
    assert isinstance(await house.does("case_status", ann, number="1; drop table customer"), Refused)


async def test_what_was_done_is_part_of_what_a_customer_takes_along(house: House) -> None:
    ann = await house.customer()
    await house.done("change_address", ann, address=HOME)
    async with house.ground.database.transaction(reading=True) as tx:
        known, _files = await collected(tx, ann.customer_id or 0)
    [errand] = json.loads(json.dumps(known["errands"]))
    assert (errand["errand"], errand["inputs"]["address"]) == ("change_address", HOME)
    assert known["appointments"] == []
