"""A house with a mail line, and customers who get things done by themselves."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from sqlalchemy import select, text, update

from everyline.customers import actions as customers
from everyline.customers import queries as customer_queries
from everyline.customers.models import ContactPoint, Customer
from everyline.dispatch.models import Delivery
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.installation import Ground
from everyline.selfservice import errands
from everyline.selfservice.errands import Done, Outcome
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Kind, Value
from tests.mail import MailLine, mail

_keys = itertools.count()


class House:
    """The house, and what its customers ask of it."""

    def __init__(self, ground: Ground, line: MailLine) -> None:
        self.ground, self.line = ground, line

    @classmethod
    async def open(cls, ground: Ground) -> House:
        return cls(ground, await MailLine.add(ground))

    async def customer(
        self,
        address: str = "ann@home.example",
        name: str = "Ann Lee",
        level: Level = Level.PROVED,
        *,
        verified: bool = True,
    ) -> Who:
        """A customer with a mailbox, as well shown as said."""
        async with self.ground.database.transaction() as tx:
            found = await customers.find_or_create(tx, [_mailbox(address, name)], {("mailbox", address): "en"})
            [one] = found.values()
            if verified:
                await tx.execute(update(ContactPoint).where(ContactPoint.id == one.point_id).values(verified_at=now()))
        return Who(one.customer_id, level, one.point_id, "en", "email")

    async def point(self, who: Who, kind: str, address: str, **facts: Any) -> int:
        """A further contact point of a customer."""
        assert who.customer_id is not None
        async with self.ground.database.transaction() as tx:
            point_id = await customers.add_point(tx, None, who.customer_id, kind=kind, address=address)
            if facts:
                await tx.execute(update(ContactPoint).where(ContactPoint.id == point_id).values(**facts))
        return point_id

    async def points(self, who: Who, kind: str = "postal") -> list[Row]:
        assert who.customer_id is not None
        async with self.ground.database.transaction() as tx:
            return [one for one in await customer_queries.points(tx, who.customer_id) if one.kind == kind]

    async def case(self, who: Who, subject: str = "Dog licence", words: str = "Where do I get one?") -> int:
        """A case that a customer opened by mail; returns its number."""
        address = await self.value("select address from contact_point where id = :id", id=who.point_id)
        await self.line.receive(mail(words, sender=address, subject=subject))
        return int(
            await self.value(
                'select number from "case" where customer_id = :id order by id desc limit 1', id=who.customer_id
            )
        )

    async def does(self, name: str, who: Who, key: str = "", /, **values: str) -> Outcome:
        """An errand, with a key of its own when none is given."""
        given = {slot: Value(Kind.TEXT, value) for slot, value in values.items()}
        return await errands.carry_out(self.ground, name, given, who, key or f"test:{next(_keys)}")

    async def done(self, name: str, who: Who, key: str = "", /, **values: str) -> Done:
        """The same, which must be done."""
        found = await self.does(name, who, key, **values)
        assert isinstance(found, Done), found
        return found

    async def value(self, statement: str, **values: Any) -> Any:
        async with self.ground.database.transaction() as tx:
            return await tx.value(text(statement), values)

    async def rows(self, statement: str, **values: Any) -> list[Row]:
        async with self.ground.database.transaction() as tx:
            return await tx.rows(text(statement), values)

    async def letters(self, address: str) -> list[str]:
        """What was written to a mailbox without an agent, newest last."""
        query = select(Delivery.subject, Delivery.text).where(Delivery.address == address, Delivery.kind == "notice")
        async with self.ground.database.transaction() as tx:
            rows = await tx.rows(query.order_by(Delivery.id))
        return [f"{row.subject}\n\n{self.ground.vault.open(row.text.encode())}" for row in rows]

    async def merge(self, kept: Who, gone: Who) -> None:
        assert kept.customer_id is not None
        assert gone.customer_id is not None
        async with self.ground.database.transaction() as tx:
            await customers.merge(tx, None, kept.customer_id, gone.customer_id)

    async def speaks(self, who: Who, language: str) -> Who:
        """The same customer, speaking another language."""
        async with self.ground.database.transaction() as tx:
            await tx.execute(update(Customer).where(Customer.id == who.customer_id).values(language=language))
        return replace(who, language=language)


def _mailbox(address: str, name: str) -> Any:
    from everyline.channel_contract import Address

    return Address("mailbox", address, name)
