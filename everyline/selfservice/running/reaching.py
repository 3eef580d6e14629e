"""What has to be known of who is in no talk before people can answer them: the dialogue before a case is opened."""

from __future__ import annotations

from functools import cache

from everyline.ground.words import mark
from everyline.selfservice.flows import Ask, Branch, Condition, Done, Flow, Way, in_all_languages
from everyline.selfservice.slots import Kind, Slot

NAME = "(reach)"  # which no flow of anybody's can have


@cache
def flow() -> Flow:
    """The dialogue: where the answer goes, and what it is about."""
    return Flow(
        NAME,
        title=in_all_languages(mark("How do we reach you?")),
        start="mailbox",
        steps=(
            Ask(
                "mailbox",
                words=in_all_languages(mark("Where may we send our answer? Your email address, please.")),
                slot=Slot(Kind.EMAIL, "mailbox"),
                to="about",
                fail="failed",
            ),
            Branch("about", ways=(Way(when=(Condition(about="slot.message", holds="given"),), to="end"),), otherwise="message"),
            Ask(
                "message",
                words=in_all_languages(mark("What is it about? In your own words.")),
                slot=Slot(Kind.TEXT, "message", most=4000),
                to="end",
                fail="failed",
            ),
            Done("failed", outcome="left"),
            Done("end"),
        ),
    )  # fmt: skip
