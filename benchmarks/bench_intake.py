"""``intake``: 10,000 real mails from raw bytes to routed cases, against parsing the same mails with the standard library
plus one bulk insert."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import shutil
import tempfile
import time
from email.message import EmailMessage
from pathlib import Path

import psycopg

from benchmarks.corpus import mails
from benchmarks.stage import report
from everyline.channel_contract import Raw
from everyline.channel_registry import channel
from everyline.ground import schema
from everyline.ground.installation import Ground, standing
from everyline.ground.postgres import EmbeddedPostgres
from everyline.ground.settings import Settings
from everyline.intake.door import IntakeDoor
from everyline.intake.processor import Processor
from everyline.lines import actions as lines

MAILS = 10_000


def baseline(found: list[bytes], url: str) -> float:
    """Seconds for the standard library and one bulk insert of what it read."""
    began = time.perf_counter()
    rows: list[tuple[str, str, str]] = []
    for raw in found:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        try:
            body = message.get_body(("plain", "html"))
            text = body.get_content() if body is not None else ""
        except (LookupError, KeyError, ValueError, AttributeError):
            text = ""
        try:
            subject, sender = str(message["Subject"] or ""), str(message["From"] or "")
        except (ValueError, IndexError, AttributeError):
            subject = sender = ""
        rows.append((_plain(subject), _plain(sender), _plain(text)))
    with psycopg.connect(url) as connection:
        connection.execute(
            "create table plain (id bigint generated always as identity primary key, subject text, sender text, body text)"
        )
        with connection.cursor().copy("copy plain (subject, sender, body) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
    return time.perf_counter() - began


def _plain(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


async def ours(ground: Ground, found: list[bytes]) -> tuple[float, dict[str, int]]:
    """Seconds from kept raw pieces to routed cases, and what became of them."""
    async with ground.database.transaction() as tx:
        line_id = await lines.add(
            tx, ground.vault, None, channel_name="email", address="help@county.example", queue_id=1, settings={}
        )
    door = IntakeDoor(ground)
    await door.start()
    for start in range(0, len(found), 500):
        await asyncio.gather(
            *(door.keep(line_id, Raw(channel("email").identify(raw), raw)) for raw in found[start : start + 500])
        )
    await door.stop()
    processor = Processor(ground)
    began = time.perf_counter()
    while await processor.process_some():
        pass
    seconds = time.perf_counter() - began
    with psycopg.connect(ground.database.url) as connection:
        states: dict[str, int] = dict(
            connection.execute("select state, count(*) from inbound group by state").fetchall()
        )
    return seconds, states


async def main() -> None:
    """Measure both in one run, on one server."""
    logging.disable(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="everyline-bench-"))
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.start()
    try:
        schema.bring_up_to_date(postgres.url)
        found = list(mails(MAILS))
        plain_seconds = baseline(found, postgres.url)
        async with standing(Settings(data=folder, secret_key="b" * 32, flood_cases=0), postgres.url) as ground:
            seconds, states = await ours(ground, found)
        report(
            "intake",
            {
                "mails_per_second": len(found) / seconds,
                "speed_against_plain_parsing_ratio": plain_seconds / seconds,
                "done_count": states.get("done", 0),
                "quarantined_count": states.get("quarantined", 0),
                "other_count": sum(states.values()) - states.get("done", 0) - states.get("quarantined", 0),
            },
            {"speed_against_plain_parsing_ratio": 0.4, "plain_parsing_mails_per_second": len(found) / plain_seconds},
        )
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
