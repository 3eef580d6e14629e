"""Which interaction a message belongs to: the one that goes on, or one that begins. Live text begins talks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from everyline.cases.talks import FLOW, LATER, LIVE
from everyline.channel_contract import MediaClass, Verification
from everyline.channel_registry import channel
from everyline.customers import actions as customers
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.intake.queries import statements
from everyline.intake.said import Said
from everyline.queues import actions as queues


async def fresh_ids(tx: Tx, table: str, n: int) -> list[int]:
    """Ids for rows that are to be written."""
    return [row.id for row in await tx.rows(customers.statements.next_ids, {"tbl": table, "n": n})] if n else []


async def interactions(tx: Tx, said: Sequence[Said], continuing: Sequence[Said]) -> None:
    """One goes on where there is one on the same line, of live text with the same person; else a new one begins. What waits
    to be answered by mail goes on live when somebody is there again."""
    going_on: dict[tuple[int, int, int, str], tuple[int, str]] = {}
    turned_live: list[int] = []
    held: set[int] = set()
    in_flow: set[int] = set()
    if continuing:
        by_line = {one.piece.line.id: one.facts for one in said}
        leaving = {(one.piece.line.id, one.talk) for one in said if one.read.left}
        for row in await tx.rows(
            statements.open_interactions, {"case_ids": sorted({one.case_id for one in continuing})}
        ):
            facts = by_line.get(row.line_id)
            if row.waits_by_mail and facts is not None and facts.attended and (row.line_id, row.key) not in leaving:
                turned_live.append(row.id)
                await queues.leave(tx, row.case_id, "transferred")
                continue
            if row.held or row.in_flow:
                held.add(row.id)
            if row.in_flow:
                in_flow.add(row.id)
            key = (row.case_id, row.line_id, row.contact_point_id if row.waits_by_mail is not None else 0, row.key)
            if key not in going_on or row.id > going_on[key][0]:
                going_on[key] = (row.id, row.media_class)
    beginning: list[Said] = []
    for one in said:
        key = _key(one)
        if key not in going_on:
            beginning.append(one)
            going_on[key] = (0, "")
    before = await _before(tx, [one for one in beginning if one.in_talk and not one.opens])
    for one, interaction_id in zip(beginning, await fresh_ids(tx, "interaction", len(beginning)), strict=True):
        one.meets_flow = _meets_flow(one, before)
        going_on[_key(one)] = (interaction_id, _media_class(one))
    for one in said:
        one.interaction_id, one.media_class = going_on[_key(one)]
        one.held = one.interaction_id in held
    if beginning:
        await tx.execute(
            statements.insert_interactions,
            {
                "ids": [one.interaction_id for one in beginning],
                "case_ids": [one.case_id for one in beginning],
                "line_ids": [one.piece.line.id for one in beginning],
                "point_ids": [one.known.point_id for one in beginning],
                "channels": [one.piece.line.channel for one in beginning],
                "media_classes": [one.media_class for one in beginning],
                "started_at": [one.piece.received_at for one in beginning],
            },
        )
    await _talks(tx, said, [one for one in beginning if one.in_talk], in_flow, before)
    if turned_live:
        await tx.execute(statements.end_interactions, {"ids": turned_live, "at": now()})


def _key(one: Said) -> tuple[int, int, int, str]:
    return one.case_id, one.piece.line.id, one.known.point_id if one.in_talk else 0, one.talk


def _media_class(one: Said) -> str:
    found = channel(one.piece.line.channel).facts.media_class
    if found is not MediaClass.MAIL and (one.read.left or not one.facts.attended) and not one.meets_flow:
        return str(MediaClass.MAIL)
    return str(found)


def _meets_flow(one: Said, before: dict[tuple[int, int], Any]) -> bool:
    """What opens a case does, where the line has a flow; who comes back to an open case comes back to people, unless they never got past
    the flow."""
    earlier = before.get((one.case_id, one.known.point_id))
    return bool(one.in_talk and one.facts.flow and not one.read.left) and (
        one.opens or (earlier is not None and earlier.mode == FLOW)
    )


async def _talks(
    tx: Tx,
    said: Sequence[Said],
    beginning: Sequence[Said],
    in_flow: set[int],
    before: dict[tuple[int, int], Any],
) -> None:
    in_flow |= {one.interaction_id for one in beginning if one.meets_flow}
    for one in said:
        if one.in_talk:
            one.mode = LATER if one.media_class == MediaClass.MAIL else LIVE
            if one.interaction_id in in_flow:
                one.mode, one.held = FLOW, True
    if beginning:
        for one in beginning:
            one.begins_talk = True
            earlier = before.get((one.case_id, one.known.point_id))
            one.waiting_since = earlier.waiting_since if earlier is not None else None
        await tx.execute(
            statements.insert_talks,
            {
                "ids": [one.interaction_id for one in beginning],
                "modes": [one.mode for one in beginning],
                "verifications": [_verification(one, before) for one in beginning],
                "claimed": [_claimed(one) or _claimed_before(one, before) for one in beginning],
                "ats": [one.piece.received_at for one in beginning],
                "rules": [json.dumps(asdict(one.facts.talks)) for one in beginning],
                "trails": [_trail(one) for one in beginning],
                # words that were left come behind their call: its key is that of the talk which it was
                "keys": ["" if one.read.left else one.talk for one in beginning],
            },
        )
    newest = {one.interaction_id: one for one in said if one.in_talk and not one.begins_talk}
    if newest:
        claims = {one.interaction_id: _claimed(one) for one in said if one.in_talk and _claimed(one)}
        await tx.execute(
            statements.said_in_talks,
            {
                "ids": list(newest),
                "ats": [one.piece.received_at for one in newest.values()],
                "claimed": [claims.get(interaction_id, "") for interaction_id in newest],
                "verifications": [str(one.read.verification) for one in newest.values()],
            },
        )


async def _before(tx: Tx, coming_back: Sequence[Said]) -> dict[tuple[int, int], Any]:
    """What the talks before those that begin in cases that were there say of their senders."""
    if not coming_back:
        return {}
    case_ids = sorted({one.case_id for one in coming_back})
    rows = await tx.rows(statements.earlier_talks, {"case_ids": case_ids, "at": now()})
    return {(row.case_id, row.contact_point_id): row for row in rows}


def _verification(one: Said, before: dict[tuple[int, int], Any]) -> str:
    earlier = before.get((one.case_id, one.known.point_id))
    if one.read.verification is Verification.NONE and earlier is not None:
        return str(earlier.verification)
    return str(one.read.verification)


def _claimed(one: Said) -> str:
    return one.read.claimed.address if one.read.claimed is not None else ""


def _claimed_before(one: Said, before: dict[tuple[int, int], Any]) -> str:
    earlier = before.get((one.case_id, one.known.point_id))
    return str(earlier.claimed) if earlier is not None else ""


def _trail(one: Said) -> str:
    page = one.read.page
    return json.dumps([[one.piece.received_at.isoformat(), page.url, page.title]] if page is not None else [])
