"""Which cases pieces belong to: found by what they refer to, or, for a sender who floods a line, the newest of theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from everyline.cases.rules import Arrival, Status, on_message
from everyline.channel_contract import Continues, Inbound, InboundKind
from everyline.channel_registry import channel
from everyline.dispatch import actions as dispatch
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.keys import CaseSigner
from everyline.intake.queries import statements
from everyline.intake.reading import Piece
from everyline.intake.rules import CaseKnown, Flood, Place, Placing, matter
from everyline.intake.said import Said

Floods: TypeAlias = tuple[int, int, str]  # contact point, line, matter


@dataclass(frozen=True, slots=True)
class KnownCase(CaseKnown):
    """The same, and where it stands."""

    queue_id: int | None = None
    owner_id: int | None = None
    priority: int = 3
    language: str = ""


class KnownCases(dict[Any, "KnownCase"]):
    """Cases by their own id, and by the ids on the wire of their messages."""


async def referred(tx: Tx, signer: CaseSigner, todo: Sequence[tuple[Piece, Inbound, Any]]) -> KnownCases:
    """The cases that pieces refer to, held until the end of the transaction: what is decided about them stays true."""
    wire_ids = sorted(
        {
            reference
            for _p, read, _f in todo
            for reference in (*read.references, *(failure.external_id for failure in read.failures))
            if reference
        }
    )
    by_wire: dict[str, int] = {}
    if wire_ids:
        by_wire = {
            row.external_id: row.case_id
            for row in await tx.rows(statements.cases_of_messages, {"external_ids": wire_ids})
        }
    signed = {
        case_id for _p, read, _f in todo for token in read.tokens if (case_id := signer.case_of(token)) is not None
    }
    failed = set((await _failed_deliveries(tx, wire_ids)).values()) if wire_ids else set()
    ids = sorted(signed | set(by_wire.values()) | {case_id for case_id in failed if case_id is not None})
    found = KnownCases()
    if not ids:
        return found
    found.update(await _known(tx, ids))
    for wire, case_id in by_wire.items():
        if case_id in found:
            found[wire] = found[case_id]
    return found


@dataclass(frozen=True, slots=True)
class Talking:
    """Where a channel goes on by whose case is open."""

    cases: Mapping[int, KnownCase] = field(default_factory=dict)  # by inbound id
    beginning: frozenset[int] = frozenset()  # lines on which a talk may begin


async def talking(tx: Tx, todo: Sequence[tuple[Piece, Inbound, Any]]) -> Talking:
    """The cases that senders talk to us about on such lines, or came back to soon enough. They must be held, so that nobody
    opens one meanwhile."""
    asked = [
        (piece, read)
        for piece, read, _files in todo
        if read.sender is not None and channel(piece.line.channel).facts.continues is Continues.OPEN_CASE
    ]
    if not asked:
        return Talking()
    rows = await tx.rows(
        statements.cases_of_talkers,
        {
            "inbound_ids": [piece.inbound_id for piece, _read in asked],
            "kinds": [read.sender.kind for _piece, read in asked if read.sender],
            "addresses": [read.sender.address for _piece, read in asked if read.sender],
            "line_ids": [piece.line.id for piece, _read in asked],
            "rejoins": [piece.line.settings.talks.rejoin for piece, _read in asked],
            "begins": [read.begins for _piece, read in asked],
            "talks": [read.sender.talk for _piece, read in asked if read.sender],
            "at": now(),
        },
    )
    cases = await _known(tx, sorted({row.case_id for row in rows})) if rows else {}
    live = {row.inbound_id for row in rows if row.live}
    beginning = frozenset(piece.line.id for piece, _read in asked if piece.inbound_id not in live)
    return Talking({row.inbound_id: cases[row.case_id] for row in rows if row.case_id in cases}, beginning)


def join(said: Iterable[Said]) -> None:
    """Of what one sender says first on such a line, all but the first goes into the case that the first opens."""
    first: dict[tuple[int, int, str], Said] = {}
    for one in said:
        if not one.opens or channel(one.piece.line.channel).facts.continues is not Continues.OPEN_CASE:
            continue
        into = first.setdefault((one.known.point_id, one.piece.line.id, one.talk), one)
        if into is not one:
            one.place, one.into = Place(Placing.CONTINUES), into


async def _known(tx: Tx, ids: Sequence[int]) -> dict[int, KnownCase]:
    """Cases by the ids that were asked for, after merges."""
    found: dict[int, KnownCase] = {}
    for row in await tx.rows(statements.cases_known, {"ids": ids}):
        addresses = frozenset(
            (kind, address) for kind, _space, address in (entry.partition(" ") for entry in row.addresses)
        )
        found[row.asked] = KnownCase(
            row.id,
            row.customer_id,
            Status(row.status),
            row.resolved_at,
            addresses,
            row.queue_id,
            row.owner_id,
            row.priority,
            row.language,
        )
    return found


async def _failed_deliveries(tx: Tx, wire_ids: Sequence[str]) -> dict[str, int | None]:
    rows = await tx.rows(dispatch.statements.failed, {"external_ids": list(wire_ids)})
    return {row.external_id: row.case_id for row in rows}


async def bounces(tx: Tx, todo: Sequence[tuple[Piece, Inbound, Any]]) -> dict[int, Row]:
    """By inbound id: the delivery of ours that a bounce speaks of."""
    wanted = {
        failure.external_id: piece.inbound_id
        for piece, read, _f in todo
        if read.kind is InboundKind.BOUNCE
        for failure in read.failures
        if failure.external_id
    }
    if not wanted:
        return {}
    rows = await tx.rows(dispatch.statements.failed, {"external_ids": sorted(wanted)})
    return {wanted[row.external_id]: row for row in rows}


def first_case(signer: CaseSigner, read: Inbound, referred: KnownCases) -> KnownCase | None:
    """The case that a piece refers to: by signed token first, then by the nearest message it quotes."""
    for token in read.tokens:
        case_id = signer.case_of(token)
        if case_id is not None and case_id in referred:
            return referred[case_id]
    return next((referred[reference] for reference in read.references if reference in referred), None)


async def gather(tx: Tx, said: Iterable[Said], flood: Flood) -> None:
    """Who opened as many cases with one subject on a line as ``flood`` allows opens no more there: what they write further goes into the
    newest of theirs that is open. A piece that names no sender is nobody's, and is never gathered."""
    opening = [one for one in said if one.opens and one.read.sender is not None]
    if not flood.most or not opening:
        return
    rows = await tx.rows(
        statements.opened_lately,
        {
            "customer_ids": sorted({one.known.customer_id for one in opening}),
            "point_ids": sorted({one.known.point_id for one in opening}),
            "since": now() - flood.within,
        },
    )
    opened: Counter[Floods] = Counter()
    newest_open: dict[Floods, int] = {}
    for row in rows:
        key = (row.contact_point_id, row.line_id, matter(row.subject))
        opened[key] += row.n
        if row.newest_open is not None:
            newest_open[key] = max(row.newest_open, newest_open.get(key, 0))
    over = [case_id for key, case_id in newest_open.items() if opened[key] + len(opening) > flood.most]
    cases = await _known(tx, sorted(over)) if over else {}
    newest: dict[Floods, KnownCase | Said] = {
        key: cases[case_id] for key, case_id in newest_open.items() if case_id in cases
    }
    for one in opening:
        key = (one.known.point_id, one.piece.line.id, matter(one.read.subject))
        into = newest.get(key)
        if opened[key] < flood.most or into is None:
            opened[key] += 1
            newest[key] = one
        elif isinstance(into, Said):
            one.place, one.into = Place(Placing.GATHERED), into
        else:
            reopens = one.by_person and on_message(into.status, into.resolved_at, now()) is Arrival.REOPENS
            one.place = Place(Placing.GATHERED, into, reopens)
