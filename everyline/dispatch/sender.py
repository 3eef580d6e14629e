"""The sender: takes what is due, puts it on its wire, and writes down what came of it.

A delivery is claimed by an update that counts one, and marked once more at the last moment before the wire could take
it. A process that dies before that mark leaves a claim that ends by itself: it is sent again. One that dies after it
leaves a delivery of which nobody can know whether it arrived: it is shown on its case for an agent to decide.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from everyline.cases.models import Attachment
from everyline.channel_contract import Address, ChannelError, File, Outbound
from everyline.channel_registry import channel
from everyline.dispatch import actions, rules
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import DatabaseError, Row, Tx
from everyline.ground.installation import Ground
from everyline.ground.moments import zone
from everyline.ground.settings import SettingsError
from everyline.lines import actions as lines
from everyline.lines.queries import as_channel_sees, by_ids

log = logging.getLogger(__name__)

AT_ONCE = 8  # deliveries on the wire at a time
CLAIM = timedelta(seconds=60)  # renewed while its taker lives
RENEW_SECONDS = 20.0
ABANDONED_SECONDS = 2.0
GATHER_SECONDS = 0.03  # what is written within this time is looked for together
WIRE_SECONDS = 300.0


class Lost(Exception):
    """The claim is somebody else's by now."""


class Sender:
    """Sends for one process."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._under_way: dict[asyncio.Task[None], int] = {}  # to its delivery
        self._looked_at = float("-inf")

    async def run(self) -> None:
        """For ever; on cancellation what is on the wire is brought to its end."""
        renewing = asyncio.create_task(self._renew(), name="renew claims")
        try:
            with self._ground.bus.subscribed() as wakes:
                while True:
                    wakes.clear()
                    try:
                        busy = await self._round()
                        pause = 0.0 if busy else await self._until_next()
                    except (DatabaseError, OSError) as error:
                        log.warning("sender pauses: %s", error)
                        pause = 0.5
                    if pause:
                        await wakes.wait(pause)
                        await asyncio.sleep(min(GATHER_SECONDS, pause))
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=self._ground.settings.drain_seconds)
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self) -> None:
        """What a living process has in hand stays claimed; what a dead one had is free within a minute."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                async with self._ground.database.transaction() as tx:
                    await tx.execute(
                        actions.statements.renew, {"ids": list(self._under_way.values()), "until": now() + CLAIM}
                    )
            except (DatabaseError, OSError):
                log.warning("claims could not be renewed; the database is away")

    async def _round(self) -> bool:
        free = AT_ONCE - len(self._under_way)
        if free <= 0:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            return True
        async with self._ground.database.transaction() as tx:
            for row in await self._abandoned(tx):
                if row.state == "unknown":
                    await actions.note_attempt(tx, row.id, "unknown", "")
                    await events.record(
                        tx,
                        "delivery.unknown",
                        case_id=row.case_id,
                        line_id=row.line_id,
                        delivery_id=row.id,
                        message_id=row.message_id,
                    )
                    if row.case_id is not None and row.message_id is not None:
                        await actions.bring_back(tx, row.case_id)
            claimed = await tx.rows(actions.statements.claim, {"at": now(), "until": now() + CLAIM, "most": free})
            line_rows = await by_ids(tx, [row.line_id for row in claimed]) if claimed else {}
            to_send = await self._as_customers_wish(tx, claimed)
        for row in to_send:
            task = asyncio.create_task(self._send(row, line_rows[row.line_id]), name=f"delivery {row.id}")
            self._under_way[task] = row.id
            task.add_done_callback(self._under_way.pop)
        return len(claimed) == free

    async def _abandoned(self, tx: Tx) -> list[Row]:
        """What dead processes had in hand; looked for now and then, for they do not die often."""
        at = time.monotonic()
        if at - self._looked_at < ABANDONED_SECONDS:
            return []
        self._looked_at = at
        return await tx.rows(actions.statements.abandoned, {"at": now()})

    async def _as_customers_wish(self, tx: Tx, claimed: list[Row]) -> list[Row]:
        """Those that may go out now. What its customer does not want ends, and what disturbs them waits for the end of their
        quiet hours."""
        points = [row.id for row in claimed if row.contact_point_id is not None]
        if not points:
            return claimed
        manners = {one.id: one for one in await tx.rows(actions.statements.manners, {"ids": points})}
        found = []
        for row in claimed:
            wish = manners.get(row.id)
            if wish is not None and rules.refused(row.kind, wish.refused):
                await self._end(tx, row, "failed", rules.UNWANTED)
                continue
            later = wish and rules.quiet_until(row.kind, wish.quiet_from, wish.quiet_until, zone(wish.zone), now())
            if later:
                put_off = {"id": row.id, "attempts": row.attempts, "due_at": later}
                await tx.execute(actions.statements.put_off, put_off)
                continue
            found.append(row)
        return found

    async def _until_next(self) -> float:
        async with self._ground.database.transaction() as tx:
            soonest = await tx.value(actions.statements.soonest, {"at": now()})
        catch_up = self._ground.bus.CATCH_UP_SECONDS
        return catch_up if soonest is None else min(max((soonest - now()).total_seconds(), 0.0) + 0.005, catch_up)

    async def _send(self, row: Row, line_row: Row) -> None:
        reached = False

        async def on_wire() -> None:
            nonlocal reached
            async with self._ground.database.transaction() as tx:
                if await tx.execute(actions.statements.on_wire, {"id": row.id, "attempts": row.attempts}) != 1:
                    raise Lost
            reached = True

        try:
            line = as_channel_sees(line_row, self._ground.vault, self._ground.signer)
            outbound = await self._outbound(row)
            async with asyncio.timeout(WIRE_SECONDS):
                receipt = await channel(line.channel).deliver(line, outbound, on_wire)
        except Lost:
            return
        except ChannelError as error:
            await self._failed(row, rules.outcome_of(permanent=error.permanent, unknown=error.unknown), str(error))
        except (TimeoutError, OSError, SettingsError) as error:
            await self._failed(
                row, rules.outcome_of(permanent=False, unknown=reached), str(error) or type(error).__name__
            )
        except DatabaseError as error:
            log.warning("delivery %s: the database went away: %s", row.id, type(error).__name__)
        except Exception as error:
            log.exception("delivery %s stumbled", row.id)
            await self._failed(
                row, rules.outcome_of(permanent=False, unknown=reached), f"{type(error).__name__}: {error}"
            )
        else:
            await self._keep_trying(self._sent, row, receipt.external_id, receipt.answer)

    async def _outbound(self, row: Row) -> Outbound:
        files = [File(name, kind, await self._ground.files.read(digest)) for digest, name, kind in row.files]
        if row.message_id is not None:
            async with self._ground.database.transaction() as tx:
                found = await tx.rows(
                    select(Attachment.__table__)
                    .where(Attachment.message_id.in_([row.message_id, *row.with_message_ids]))
                    .order_by(Attachment.id)
                )
            files = [
                File(
                    one.name, one.content_type, await self._ground.files.read(one.file_hash), one.content_id, one.inline
                )
                for one in found
            ]
        return Outbound(
            id=row.id,
            idempotency_key=row.idempotency_key,
            to=Address(row.address_kind, row.address, row.address_name),
            sender_name=row.sender_name,
            subject=row.subject,
            text=self._ground.vault.open(row.text.encode()) if row.kind == "notice" else row.text,
            html=row.html,
            language=row.language,
            files=tuple(files),
            copies=tuple(Address(*copy) for copy in row.copies),
            external_id=row.external_id,
            references=tuple(row.references),
            token=self._ground.signer.sign(row.case_id) if row.case_id is not None else "",
            automatic=row.automatic,
        )

    async def _sent(self, row: Row, external_id: str, answer: str) -> None:
        async with self._ground.database.transaction() as tx:
            values = {
                "id": row.id,
                "attempts": row.attempts,
                "state": "sent",
                "due_at": None,
                "answer": answer[:2000],
                "external_id": external_id,
                "at": now(),
            }
            if await tx.execute(actions.statements.finish, values) == 1:
                await actions.note_attempt(tx, row.id, "sent", answer)
                await lines.note_sent(tx, row.line_id)
                await events.record(
                    tx,
                    "delivery.sent",
                    case_id=row.case_id,
                    line_id=row.line_id,
                    delivery_id=row.id,
                    message_id=row.message_id,
                )

    async def _failed(self, row: Row, outcome: str, answer: str) -> None:
        log.info("delivery %s: %s: %s", row.id, outcome, answer[:200])
        await self._keep_trying(self._note_failure, row, outcome, answer)

    async def _note_failure(self, row: Row, outcome: str, answer: str) -> None:
        async with self._ground.database.transaction() as tx:
            values = {
                "id": row.id,
                "attempts": row.attempts,
                "due_at": None,
                "answer": answer[:2000],
                "external_id": "",
                "at": now(),
            }
            if outcome == "temporary" and not rules.gives_up(row.attempts):
                values |= {"state": "due", "due_at": now() + rules.pause(row.attempts, random.random())}
            else:
                values["state"] = {"permanent": "bounced", "unknown": "unknown"}.get(outcome, "failed")
            if await tx.execute(actions.statements.finish, values) != 1:
                return
            await actions.note_attempt(tx, row.id, outcome, answer)
            if outcome == "temporary":
                await lines.note_failed(tx, row.line_id, answer)
            if outcome == "permanent":
                await actions.bounce(tx, row, answer)
            elif values["state"] != "due":
                await self._tell_of_end(tx, row, values["state"])

    async def _end(self, tx: Tx, row: Row, state: str, answer: str) -> None:
        """End what was claimed without an attempt."""
        values = {
            "id": row.id,
            "attempts": row.attempts,
            "due_at": None,
            "answer": answer,
            "external_id": "",
            "at": now(),
        }
        if await tx.execute(actions.statements.finish, values | {"state": state}) == 1:
            await self._tell_of_end(tx, row, state)

    async def _tell_of_end(self, tx: Tx, row: Row, state: str) -> None:
        """Tell of a delivery that came to nothing; who wrote an answer gets its case back."""
        await events.record(
            tx,
            f"delivery.{state}",
            case_id=row.case_id,
            line_id=row.line_id,
            delivery_id=row.id,
            message_id=row.message_id,
        )
        if row.case_id is not None and row.kind == "reply":
            await actions.bring_back(tx, row.case_id)

    async def _keep_trying(self, write: Any, *arguments: Any) -> None:
        """What the wire said must be written down: while the database is away, for as long as the claim lasts."""
        for step in range(60):
            try:
                await write(*arguments)
            except (DatabaseError, OSError):
                log.warning("delivery %s: what the wire said waits for the database", arguments[0].id)
                await asyncio.sleep(min(0.2 * 2**step, 5.0))
            else:
                return
