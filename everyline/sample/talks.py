"""The sample company's chat line, and the words that its agents use again and again."""

from __future__ import annotations

from everyline.cases import actions as cases
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from everyline.sample.house import House

ADDRESS = "help"
QUEUE = "Water"
ANSWERS_ON = "water@harbor.example"

QUESTIONS = """\
Your name | name
Your email, in case we are cut off | mailbox
"""
LINKS = """\
Call us, day and night | tel:+18005550199
"""
CANNED = (  # name, language, text, queue or empty for all
    ("Greeting", "en", "Hello {customer}, this is {agent}. How can I help you today?", ""),
    ("Greeting", "es", "Hola {customer}, soy {agent}. ¿En qué puedo ayudarle?", ""),
    ("One moment", "en", "One moment please, I look that up for you.", ""),
    ("Anything else", "en", "Is there anything else I can do for you?", ""),
    (
        "Number of the case",
        "en",
        "The number of your case is {number}. Just quote it, whichever way you write to us.",
        "",
    ),
    (
        "Find a leak",
        "en",
        "Close every tap, then look at the meter: if the small red triangle turns, there is a leak.",
        QUEUE,
    ),
    ("Leak credit", "en", "We take half of what the leak used off your bill, once a year. I have asked for it.", QUEUE),
)


async def add(tx: Tx, ground: Ground, founded: House) -> None:
    """Add them. Pages of the installation itself may show the widget; a site of one's own is named in the line's settings."""
    line = founded.line_ids[ANSWERS_ON]
    await lines.add(
        tx,
        ground.vault,
        None,
        channel_name="webchat",
        address=ADDRESS,
        name="Harbor County help",
        queue_id=founded.queues[QUEUE],
        answer_line_id=line,
        settings={"questions": QUESTIONS, "links": LINKS, "greeting": "How can we help?"},
    )
    for position, (name, language, text, queue) in enumerate(CANNED):
        queue_id = founded.queues[queue] if queue else None
        canned_id = await cases.add_canned_answer(tx, None, name=name, text=text, queue_id=queue_id, language=language)
        await cases.change_canned_answer(tx, None, canned_id, position=position)
