"""The life of a talk: waits, silence, ends, nobody there, who has left, transcripts, surveys, supervisors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from conftest import SignInAs, until
from everyline.cases.models import Case, Interaction, Message, Note, Talk
from everyline.channel_contract import Card
from everyline.channels.webchat.tests.chat import Chat, begun, opened
from everyline.customers.models import ContactPoint
from everyline.dispatch.models import Delivery
from everyline.ground.installation import Ground
from everyline.intake import talking
from everyline.measure import surveying
from everyline.measure.models import Survey
from everyline.people import queries as people
from everyline.queues import actions as queues
from everyline.queues.models import Assignment, Hours, Queue, QueueEntry
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("C1", "A4")


async def later(chat: Chat, **ago: float) -> None:
    """As if so many seconds had passed since these moments of all talks."""
    async with chat.ground.database.transaction() as tx:
        for name, seconds in ago.items():
            moved = {name: getattr(Talk, name) - timedelta(seconds=seconds)}
            await tx.execute(update(Talk).values(**moved))


async def mails(chat: Chat, kind: str = "reply") -> list[Any]:
    return [one for one in await chat.rows(Delivery) if one.kind == kind and one.address_kind == "mailbox"]


async def talk(chat: Chat) -> Any:
    return (await chat.rows(Talk))[-1]


# --- silence and ends


async def test_who_is_silent_is_warned_and_then_the_talk_ends(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat)
    await chat.keeper.round()
    assert stream.texts == ["Hello"]  # they wait for us: nobody warns them
    await chat.answer(agent.id, case_id, "What is your number?")
    await stream.message("What is your number?")
    await chat.keeper.round()
    await later(chat, answered_at=299, said_at=299)
    await chat.keeper.round()
    assert (await talk(chat)).warned_at is None
    await later(chat, answered_at=2, said_at=2)
    await chat.keeper.round()
    said = await stream.message("Are you still there? This talk ends in 3 minutes unless you write.")
    assert (said["from"], said["agent"]) == ("us", None)
    await stream.until(lambda one: one["kind"] == "talk" and one["talk"]["warned"])
    await visitor.say("Yes, wait")  # a word takes the warning back
    await stream.message("Yes, wait")
    await later(chat, answered_at=400, said_at=100)
    await chat.keeper.round()
    assert (await talk(chat)).warned_at is None
    await chat.answer(agent.id, case_id, "Well?")
    await later(chat, answered_at=301, said_at=301)
    await chat.keeper.round()
    await later(chat, warned_at=181)
    await chat.keeper.round()
    ended = await stream.phase("ended")
    assert ended["ended_by"] == "idle"
    (assignment,) = await chat.rows(Assignment)
    assert (assignment.outcome, assignment.work_ended_at is not None) == ("ended", True)
    assert (await chat.rows(Interaction))[0].ended_at is not None


async def test_whose_talk_ended_wraps_it_up(chat: Chat, sign_in: SignInAs) -> None:
    async with chat.ground.database.transaction() as tx:
        await tx.execute(update(Queue).values(wrap_up_seconds=60))
    agent = await sign_in(queues=(1,), available=True)
    visitor, _stream, case_id = await begun(chat)
    await chat.answer(agent.id, case_id, "Done")
    answer = await visitor.post("end")
    assert (answer.json()["talk"]["phase"], answer.json()["talk"]["ended_by"]) == ("ended", "customer")
    (assignment,) = await chat.rows(Assignment)
    assert (assignment.work_ended_at is not None, assignment.ended_at) == (True, None)
    again = await visitor.post("end")
    assert (again.status_code, again.json()["error"]) == (409, "conflict")


async def test_an_agent_ends_and_a_message_at_the_same_time_is_not_lost(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat)
    await chat.answer(agent.id, case_id, "Good bye")

    async def end() -> None:
        async with chat.ground.database.transaction() as tx:
            await talking.end(tx, agent.id, case_id)

    await asyncio.gather(end(), visitor.say("One more thing"))
    await stream.message("One more thing")
    assert stream.texts == ["Hello", "Good bye", "One more thing"]
    assert len(await chat.rows(Case)) == 1


async def test_who_comes_back_soon_has_the_same_agent(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat)
    await chat.answer(agent.id, case_id, "Good bye")
    await visitor.post("end")
    await stream.phase("ended")
    await visitor.say("I forgot something")
    await stream.message("I forgot something")
    assert [one.id for one in await chat.rows(Case)] == [case_id]
    entry = (await chat.rows(QueueEntry))[-1]
    assert (entry.state, entry.preferred_agent_ids) == ("waiting", [agent.id])
    assert len(await chat.rows(Interaction)) == 2


async def test_who_drops_while_waiting_and_comes_back_keeps_the_place(chat: Chat) -> None:
    visitor, stream, _case_id = await begun(chat)
    since = (await chat.rows(QueueEntry))[0].waiting_since
    await begun(chat, "second in line")
    await visitor.post("end")
    await chat.keeper.round()
    await stream.phase("ended")
    await visitor.say("I am back")
    await stream.message("I am back")
    entry = (await chat.rows(QueueEntry))[-1]
    assert (entry.state, entry.waiting_since) == ("waiting", since)
    again = await visitor.say_hello()
    assert again["talk"]["place"] == 1


# --- nobody there


@pytest.fixture
async def alone(ground: Ground) -> AsyncIterator[Chat]:
    """A line on which nobody waits while no agent is there."""
    async with opened(ground, waits_alone=False) as found:
        yield found


async def test_nobody_there_makes_it_work_by_mail_at_once(alone: Chat) -> None:
    visitor = await alone.greeted()
    home = (await visitor.get("home")).json()
    assert (home["open"], home["staffed"]) == (True, False)
    stream = await visitor.stream()
    await visitor.say("Is anybody there?")
    stands = await stream.phase("mail")
    assert stands["wants_mailbox"] is True
    (entry,) = await alone.rows(QueueEntry)
    assert (entry.media_class, entry.state, entry.weight) == ("mail", "waiting", 20)
    answer = await visitor.post("mailbox", {"mailbox": "rosa@mail.example"})
    assert (answer.json()["talk"]["wants_mailbox"], answer.json()["talk"]["mailbox"]) == (False, "r…@mail.example")
    await visitor.say("It is about my bill")  # goes on with the same matter
    await stream.message("It is about my bill")
    assert len(await alone.rows(Case)) == len(await alone.rows(Interaction)) == 1


async def test_the_answer_by_mail_leads_back_into_the_case(alone: Chat, sign_in: SignInAs) -> None:
    visitor, stream, case_id = await begun(alone, mailbox="rosa@mail.example")
    await stream.close()
    agent = await sign_in(name="Maya Okafor", queues=(1,))
    await alone.answer(agent.id, case_id, "We have looked at your bill.")
    await alone.answer(agent.id, case_id, "The credit is approved.")
    await alone.keeper.round()
    assert await mails(alone) == []  # they may still look
    await later(alone, here_at=100, answered_at=100)
    await alone.keeper.round()
    (letter,) = await mails(alone)
    assert letter.address == "rosa@mail.example"
    assert letter.text.index("We have looked at your bill.") < letter.text.index("The credit is approved.")
    assert "Maya Okafor" in letter.text
    await alone.keeper.round()
    assert len(await mails(alone)) == 1
    token = alone.ground.signer.sign(case_id)
    assert token in letter.external_id
    line = MailLine(alone.ground, letter.line_id, 1, "help@harbor.example")
    to = f"help+{token}@harbor.example"
    await line.receive(mail("Thank you!", sender="Rosa <rosa@mail.example>", to=to, subject="Re"), process=False)
    await until(lambda: _said(alone, "Thank you!"))
    assert [one.id for one in await alone.rows(Case)] == [case_id]
    hello = await visitor.say_hello()  # what came by mail is not shown to whoever holds the browser's token
    assert "Thank you!" not in str(hello["messages"])


async def _said(chat: Chat, words: str) -> bool:
    return any(one.text == words for one in await chat.rows(Message))


async def test_what_waits_by_mail_goes_on_live_when_somebody_is_there(alone: Chat, sign_in: SignInAs) -> None:
    visitor, stream, _case_id = await begun(alone, "Anybody?", mailbox="rosa@mail.example")
    since = (await alone.rows(QueueEntry))[0].waiting_since
    await sign_in(queues=(1,), available=True)
    await visitor.say("And now?")
    await stream.phase("waiting")
    entry = (await alone.rows(QueueEntry))[-1]
    assert (entry.media_class, entry.state, entry.waiting_since) == ("chat", "waiting", since)
    assert (await talk(alone)).claimed == "rosa@mail.example"
    assert stream.texts == ["Anybody?", "And now?"]


async def test_closed_hours_and_too_many_who_wait(chat: Chat) -> None:
    async with chat.ground.database.transaction() as tx:
        hours_id = await tx.value(insert(Hours).values(name="Never", zone="UTC", week=[[]] * 7).returning(Hours.id))
        await tx.execute(update(Queue).values(hours_id=hours_id))
    visitor = await chat.greeted()
    stream = await visitor.stream()
    home = (await visitor.get("home")).json()
    assert (home["open"], home["staffed"], home["state"]) == (False, False, "We are closed.")
    await visitor.say("Hello")
    await stream.phase("mail")
    async with chat.ground.database.transaction() as tx:
        await tx.execute(update(Queue).values(hours_id=None))
    await chat.change(most_waiting=1)
    _first, first, _case = await begun(chat, "first")
    await first.phase("waiting")
    _second, second, _case = await begun(chat, "second")
    await second.phase("mail")


async def test_an_emergency_closure_says_why(chat: Chat) -> None:
    from everyline.queues import openings

    async with chat.ground.database.transaction() as tx:
        week = [[("00:00", "24:00")]] * 7
        hours_id = await openings.add_hours(tx, None, name="All", zone="UTC", week=week)
        await openings.close_now(tx, None, hours_id, "Closed: flood")
        await tx.execute(update(Queue).values(hours_id=hours_id))
    home = (await chat.visitor().get("home")).json()
    assert (home["open"], home["closed_words"]) == (False, "Closed: flood")


# --- who has left


async def test_who_left_while_waiting_with_a_mailbox_waits_on_as_mail(chat: Chat) -> None:
    _visitor, stream, _case_id = await begun(chat, mailbox="rosa@mail.example")
    since = (await chat.rows(QueueEntry))[0].waiting_since
    await stream.close()
    await chat.keeper.round()
    assert len(await chat.rows(QueueEntry)) == 1
    await later(chat, here_at=91)
    await chat.keeper.round()
    first, second = await chat.rows(QueueEntry)
    assert (first.outcome, second.state, second.media_class) == ("abandoned", "waiting", "mail")
    assert second.waiting_since == since
    assert (await talk(chat)).mode == "later"


async def test_who_left_without_a_word_where_to_is_let_go(chat: Chat) -> None:
    _visitor, stream, _case_id = await begun(chat)
    await stream.close()
    await later(chat, here_at=91)
    await chat.keeper.round()
    await chat.keeper.round()
    (entry,) = await chat.rows(QueueEntry)
    assert (entry.state, entry.outcome) == ("left", "abandoned")
    assert (await chat.rows(Case))[0].status == "resolved"
    assert ((await talk(chat)).ended_by, (await talk(chat)).settled_at is not None) == ("gone", True)


async def test_unseen_answers_go_by_mail_when_the_talk_ends(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat, mailbox="rosa@mail.example")
    seen = await chat.answer(agent.id, case_id, "Seen by them")
    await stream.message("Seen by them")
    await visitor.post("seen", {"upto": str(seen)})
    await stream.close()
    await chat.answer(agent.id, case_id, "Never seen")
    async with chat.ground.database.transaction() as tx:
        await talking.end(tx, agent.id, case_id)
    await later(chat, here_at=91)
    await chat.keeper.round()
    (letter,) = await mails(chat)
    assert "Never seen" in letter.text
    assert "Seen by them" not in letter.text


async def test_two_keepers_at_once_send_one_mail(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    _visitor, stream, case_id = await begun(chat, mailbox="rosa@mail.example")
    await chat.answer(agent.id, case_id, "Never seen")
    await stream.close()
    await later(chat, here_at=100, answered_at=100)
    await asyncio.gather(*(chat.keeper.round() for _ in range(5)))
    assert len(await mails(chat)) == 1


async def test_who_waits_is_called_back_and_keeps_their_place(chat: Chat, sign_in: SignInAs) -> None:
    first, first_stream, first_case = await begun(chat)
    _second, _other, second_case = await begun(chat, "Me too")
    off = await first.post("callback", {"number": "+1 360 555 0142"})
    assert (off.status_code, off.json()["error"]) == (404, "nothing"), "a line without telephones offers no call"
    await chat.change(calls_back=True)
    assert (await first.get("home")).json()["calls_back"]
    wrong = await first.post("callback", {"number": "call me maybe"})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["number"])
    answer = await first.post("callback", {"number": "(360) 555-0142"})
    assert (answer.status_code, answer.json()["talk"]["phase"]) == (200, "mail")
    entries = {one.case_id: one for one in await chat.rows(QueueEntry) if one.state in ("waiting", "offered")}
    assert entries[first_case].waiting_since < entries[second_case].waiting_since, "the place is kept"
    assert "+13605550142" in [one.text for one in await chat.rows(Message) if one.direction == "out"][-1]
    assert (await chat.rows(Case))[0].tags == ["call back"]
    assert "+13605550142" not in [one.address for one in await chat.rows(ContactPoint)], "nobody has proved it"
    again = await first.post("callback", {"number": "+1 360 555 0142"})
    assert again.status_code == 409
    await first_stream.close()
    await later(chat, here_at=600)
    await chat.keeper.round()
    assert [one.id for one in await chat.rows(QueueEntry) if one.case_id == first_case and one.state == "waiting"], (
        "who closes the page waits on"
    )


async def test_rather_by_mail_than_wait(chat: Chat) -> None:
    visitor, stream, _case_id = await begun(chat)
    answer = await visitor.post("mailbox", {"mailbox": "rosa@mail.example", "instead": True})
    assert answer.json()["talk"]["phase"] == "mail"
    await stream.phase("mail")
    assert [(one.media_class, one.state) for one in await chat.rows(QueueEntry)] == [
        ("chat", "left"),
        ("mail", "waiting"),
    ]
    assert (await visitor.post("mailbox", {"mailbox": "nonsense"})).status_code == 422


# --- at the end


async def test_a_transcript_goes_where_it_is_wanted(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(name="Maya Okafor", queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat)
    early = await visitor.post("transcript", {"mailbox": "rosa@mail.example"})
    assert early.status_code == 409  # what only a stranger wrote is sent to nobody
    await chat.answer(agent.id, case_id, "Here you are")
    await stream.message("Here you are")
    assert (await visitor.post("transcript", {})).status_code == 422
    assert (await visitor.post("transcript", {"mailbox": "rosa@mail.example"})).status_code == 202
    assert (await visitor.post("transcript", {"mailbox": "eve@mail.example"})).status_code == 202  # the first counts
    await visitor.post("end")
    await later(chat, here_at=91)
    await chat.keeper.round()
    (letter,) = await mails(chat, "transcript")
    assert (letter.address, letter.automatic) == ("rosa@mail.example", True)
    assert "You:\nHello" in letter.text
    assert "Maya Okafor:\nHere you are" in letter.text


async def test_a_survey_at_the_end(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    async with chat.ground.database.transaction() as tx:
        await surveying.change_setting(tx, agent.id, 1, "satisfaction")
    visitor, stream, case_id = await begun(chat)
    seen = await chat.answer(agent.id, case_id, "Here you are")
    await stream.message("Here you are")
    await visitor.post("seen", {"upto": str(seen)})
    await visitor.post("end")
    await chat.keeper.round()
    told = await stream.until(lambda one: one["kind"] == "talk" and one["talk"]["survey"] is not None)
    survey = told["talk"]["survey"]
    assert (survey["kind"], survey["low"], survey["high"]) == ("satisfaction", 1, 5)
    other, _stream, _case = await begun(chat, "somebody else")
    stolen = await other.post("survey", {"token": survey["token"], "score": 1, "words": ""})
    assert stolen.status_code == 404
    off = await visitor.post("survey", {"token": survey["token"], "score": 6, "words": ""})
    assert off.status_code == 422
    assert (await visitor.post("survey", {"token": survey["token"], "score": 5, "words": "Fast"})).status_code == 204
    assert (await visitor.post("survey", {"token": survey["token"], "score": 1, "words": ""})).status_code == 404
    (row,) = [one for one in await chat.rows(Survey) if one.case_id == case_id]
    assert (row.score, row.words, row.agent_id) == (5, "Fast", agent.id)


# --- supervisors and cards


async def test_a_supervisor_looks_on_and_whispers(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    lead = await sign_in("supervisor", queues=(1,))
    _visitor, stream, case_id = await begun(chat)
    await chat.answer(agent.id, case_id, "Hello")
    async with chat.ground.database.transaction() as tx:
        me = await people.me(tx, lead.id)
        assert me is not None
        (row,) = await talking.live(tx, me)
        assert (row.case_id, row.agent_id, row.verification) == (case_id, agent.id, "none")
        await talking.monitor(tx, lead.id, case_id)
        await talking.whisper(tx, lead.id, case_id, "Offer the leak credit")
        outsider = await people.me(tx, (await sign_in("supervisor")).id)
        assert outsider is not None
        assert list(await talking.live(tx, outsider)) == []
    assert [one.text for one in await chat.rows(Note)] == ["Offer the leak credit"]
    await chat.answer(agent.id, case_id, "There is a leak credit")
    await stream.message("There is a leak credit")
    assert "Offer the leak credit" not in stream.texts


async def test_a_card_is_pushed_with_words_for_who_sees_none(chat: Chat, sign_in: SignInAs) -> None:
    from everyline.ground.errors import Invalid

    agent = await sign_in(queues=(1,), available=True)
    _visitor, stream, case_id = await begun(chat)
    card = Card("page", "Find a leak", "in 15 minutes", "https://www.harbor.example/leak")
    async with chat.ground.database.transaction() as tx:
        await talking.push_card(tx, chat.ground.signer, agent.id, case_id, card)
    said = await stream.message("Find a leak\nin 15 minutes\nhttps://www.harbor.example/leak")
    assert said["card"]["title"] == "Find a leak"
    assert said["card"]["url"] == "https://www.harbor.example/leak"
    async with chat.ground.database.transaction() as tx:
        with pytest.raises(Invalid):
            await talking.push_card(tx, chat.ground.signer, agent.id, case_id, Card("page", "x", url="javascript:x"))


async def test_canned_answers_are_filled_in(chat: Chat, sign_in: SignInAs) -> None:
    from everyline.cases import actions as cases

    agent = await sign_in(name="Maya Okafor", queues=(1,), available=True)
    _visitor, _stream, case_id = await begun(chat)
    async with chat.ground.database.transaction() as tx:
        me = await people.me(tx, agent.id)
        assert me is not None
        await cases.add_canned_answer(tx, agent.id, name="Greeting", text="Hello {customer}, I am {agent}. {other}")
        gone = await cases.add_canned_answer(tx, agent.id, name="Old", text="x")
        await cases.retire_canned_answer(tx, agent.id, gone)
        await cases.add_canned_answer(tx, agent.id, name="Gruß", text="Guten Tag", language="de")
        (one,) = await talking.canned(tx, me, case_id, "greet")
    assert one["text"].startswith("Hello Visitor ")
    assert one["text"].endswith("I am Maya Okafor. {other}")


async def test_resolving_the_case_ends_the_talk(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    _visitor, stream, case_id = await begun(chat)
    await chat.answer(agent.id, case_id, "Done")
    async with chat.ground.database.transaction() as tx:
        await queues.resolve(tx, agent.id, case_id)
    assert (await stream.phase("ended"))["ended_by"] == "agent"


async def test_an_answer_after_the_end_reaches_who_looks_and_else_goes_by_mail(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat, mailbox="rosa@mail.example")
    await chat.answer(agent.id, case_id, "I call you back")
    await visitor.post("end")
    await chat.answer(agent.id, case_id, "We have found it")
    await stream.message("We have found it")
    assert stream.texts == ["Hello", "I call you back", "We have found it"]
    await stream.close()
    await later(chat, here_at=100, answered_at=100)
    await chat.keeper.round()
    assert any("We have found it" in one.text for one in await mails(chat))


async def test_how_it_stands_with_a_line(chat: Chat, sign_in: SignInAs) -> None:
    await sign_in(name="Maya Okafor", queues=(1,), available=True)
    home = (await chat.visitor().get("home?language=de")).json()
    assert home["language"] == "de"
    assert (home["open"], home["staffed"]) == (True, True)
    assert home["team"][0]["initials"] == "MO"
    assert home["usual"] == ""  # too little is known
    assert home["wait"] is None


async def test_the_script_is_for_every_site(chat: Chat) -> None:
    answer = await chat.browser.get("/in/webchat/help/widget.js", headers={"origin": "https://anybody.example"})
    assert answer.headers["content-type"].startswith("text/javascript")
    if answer.status_code == 200:
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        again = await chat.browser.get("/in/webchat/help/widget.js", headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
    else:
        assert answer.status_code == 404


@pytest.mark.req("A7")
async def test_articles_are_found_and_read_in_the_wording_of_live_text(chat: Chat) -> None:
    from everyline.articles import actions as articles
    from everyline.articles.models import ArticleDay, ArticleFeedback, Gap

    async with chat.ground.database.transaction() as tx:
        article_id = await articles.add(tx, None, "en", "Find a leak", text="Look at the **meter** at night.")
        await articles.publish(tx, None, article_id, "en")
    visitor = await chat.greeted()
    (hit,) = (await visitor.get("find?q=leak")).json()["hits"]
    assert hit["title"] == "Find a <mark>leak</mark>"
    found = (await visitor.get(f"articles/{hit['slug']}")).json()
    assert "meter" in found["html"]
    assert found["url"].endswith("/help/en/articles/find-a-leak")
    assert (await visitor.get("articles/nothing")).status_code == 404
    other = await chat.greeted()
    for who, said, status in [
        (visitor, {"helped": True, "instead": True}, 204),
        (visitor, {"helped": False, "instead": True}, 204),  # who has said it has said it
        (other, {"helped": "yes"}, 422),
        (other, {"helped": False, "instead": True}, 204),
    ]:
        assert (await who.post(f"articles/{hit['slug']}/helped", said)).status_code == status, said
    assert (await visitor.post("articles/nothing/helped", {"helped": True})).status_code == 404
    days = [(day.channel, day.helped, day.not_helped, day.deflected) for day in await chat.rows(ArticleDay)]
    assert {channel for channel, *_verdicts in days} == {"webchat"}
    assert [sum(counts) for counts in list(zip(*days, strict=True))[1:]] == [1, 1, 1]  # midnight may pass
    assert [row.channel for row in await chat.rows(ArticleFeedback)] == ["webchat", "webchat"]
    assert (await visitor.get("find?q=zebra")).json() == {"hits": []}
    assert await chat.rows(Gap) == []
    await visitor.get("find?q=zebra&whole=1")
    assert [one.words for one in await chat.rows(Gap)] == ["zebra"]
