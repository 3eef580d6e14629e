"""``flows``: how many turns of flows a second one worker keeps durably on the embedded database: each an answer that is read, walked,
and committed with the state of its run and the steps that were come to; and how long one turn alone takes, as a page waits for it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.stage import percentile, report
from everyline.ground import schema
from everyline.ground.installation import Ground, standing
from everyline.ground.postgres import EmbeddedPostgres
from everyline.ground.settings import Settings
from everyline.selfservice import actions, flows
from everyline.selfservice.flows import Ask, Choose, Confirm, Done, Flow, Option, Queue, Say, words
from everyline.selfservice.identity import Who
from everyline.selfservice.running.library import Library
from everyline.selfservice.running.moving import Begins, Move, begin_all, move_all
from everyline.selfservice.slots import Kind, Slot
from everyline.selfservice.walking import Said

RUNS, AT_ONCE, ALONE = 4000, 200, 300
ANSWERS = ("A light is out", "{n} Elm Street", "(360) 555-{n:04}", "2026-11-{day:02}", "yes")  # of the nth run
FLOW = Flow(
    "lights",
    title=words("Street lights"),
    start="menu",
    person="agent",
    steps=(
        Choose(
            "menu",
            words=words("What is it about?"),
            options=(
                Option(name="dark", words=words("A light is out"), to="hello"),
                Option(name="other", words=words("Something else"), to="agent"),
            ),
        ),
        Say("hello", words=words("We send somebody."), to="where"),
        Ask("where", words=words("Which street and number?"), slot=Slot(Kind.ADDRESS, "place"), to="number"),
        Ask("number", words=words("Where do we call you?"), slot=Slot(Kind.PHONE, "number"), to="when"),
        Ask("when", words=words("Since when?"), slot=Slot(Kind.DATE, "since"), to="sure"),
        Confirm("sure", words=words("Shall we report {place}?"), yes="end", no="where"),
        Done("end", words=words("Thank you.")),
        Queue("agent", words=words("We connect you.")),
    ),
)


async def _turns(ground: Ground) -> tuple[int, int, float]:
    """Turns and steps, and the seconds they took: all runs through all answers, some hundred in a transaction, as talks arrive
    in batches."""
    library, turns, passed = Library(), 0, 0
    began = time.perf_counter()
    for _first in range(0, RUNS, AT_ONCE):
        async with ground.database.transaction() as tx:
            stands = await begin_all(tx, ground.vault, library, [Begins("lights", Who(channel="webchat"))] * AT_ONCE)
        turns, passed = turns + len(stands), passed + sum(len(one.turn.passed) for one in stands)
        for answer in ANSWERS:
            async with ground.database.transaction() as tx:
                said = [answer.format(n=100 + one.run.id % 9000, day=1 + one.run.id % 28) for one in stands]
                moves = [Move(one.run.id, Said(text), one.run.turns) for one, text in zip(stands, said, strict=True)]
                stands = await move_all(tx, ground.vault, library, moves)
            turns, passed = turns + len(stands), passed + sum(len(one.turn.passed) for one in stands)
        if any(one.run.outcome != "solved" for one in stands):
            raise RuntimeError(f"a run did not come to its end: {stands[0].turn}")
    return turns, passed, time.perf_counter() - began


async def _alone(ground: Ground) -> list[float]:
    """Milliseconds of one turn in a transaction of its own."""
    library, found = Library(), []
    for _n in range(ALONE):
        async with ground.database.transaction() as tx:
            (stands,) = await begin_all(tx, ground.vault, library, [Begins("lights", Who(channel="portal"))])
        began = time.perf_counter()
        async with ground.database.transaction() as tx:
            await move_all(tx, ground.vault, library, [Move(stands.run.id, Said("A light is out"), 1)])
        found.append((time.perf_counter() - began) * 1000)
    return found


async def _measure(url: str, data: Path) -> dict[str, float]:
    async with standing(Settings(data=data, secret_key="k" * 32), url) as ground:
        async with ground.database.transaction() as tx:
            await actions.add(tx, None, flows.written(FLOW))
            await actions.publish(tx, None, "lights")
        turns, passed, seconds = await _turns(ground)
        alone = await _alone(ground)
    return {
        "turns_a_second": turns / seconds,
        "steps_a_second": passed / seconds,
        "one_turn_p95_ms": percentile(alone, 0.95),
    }


def main() -> None:
    """Measure and print."""
    data = Path(tempfile.mkdtemp(prefix="everyline-bench-"))
    postgres = EmbeddedPostgres(data / "postgres")
    postgres.start()
    try:
        schema.bring_up_to_date(postgres.url)
        report("flows", asyncio.run(_measure(postgres.url, data)), {"steps_a_second": 5000})
    finally:
        postgres.stop()
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
