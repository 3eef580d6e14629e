"""Customers with their browsers, and a company that they write to."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from conftest import until
from everyline.customers.models import ContactPoint
from everyline.dispatch.models import Delivery
from everyline.ground.installation import Ground
from everyline.intake.processor import Processor
from tests.mail import MailLine, mail

CODE = re.compile(r"\b(\d{3}) (\d{3})\b")


class Company:
    """A company with a mail line and a portal, and what its customers' mailboxes got."""

    def __init__(self, ground: Ground, line: MailLine, app: Any) -> None:
        self.ground, self.line, self._app = ground, line, app
        self._browsers = contextlib.AsyncExitStack()

    async def browser(self, host: str = "everyline.test") -> httpx.AsyncClient:
        """A browser of its own, without scripts."""
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        browser = await self._browsers.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=f"http://{host}")
        )
        browser.headers["sec-fetch-site"] = "same-origin"
        return browser

    async def close(self) -> None:
        """End all browsers."""
        await self._browsers.aclose()

    async def writes(self, address: str, text: str = "Hello, where do I get a dog licence?", **more: Any) -> int:
        """A customer writes a mail; returns the number of the newest case of theirs."""
        name = address.partition("@")[0].title()
        await self.line.receive(mail(text, sender=f"{name} <{address}>", **more), process=False)
        await until(self.all_done)
        return int(
            await self.value(
                'select c.number from "case" c join contact_point p on p.customer_id = c.customer_id '
                "where p.address = :address order by c.id desc limit 1",
                address=address,
            )
        )

    async def all_done(self) -> bool:
        """Has everything that came in become part of a case?"""
        return not await self.value("select count(*) from inbound where state = 'new'")

    async def value(self, statement: str, **values: Any) -> Any:
        """One value of the database."""
        from sqlalchemy import text

        async with self.ground.database.transaction() as tx:
            return await tx.value(text(statement), values)

    async def rows(self, statement: str) -> list[Any]:
        """Rows of the database."""
        from sqlalchemy import text

        async with self.ground.database.transaction() as tx:
            return await tx.rows(text(statement))

    async def customer(self, address: str) -> int:
        """Whose an address is."""
        async with self.ground.database.transaction() as tx:
            found = await tx.value(select(ContactPoint.customer_id).where(ContactPoint.address == address))
        return int(found)

    async def letters(self, address: str) -> list[str]:
        """The notices that were written to an address, newest last."""
        async with self.ground.database.transaction() as tx:
            rows = await tx.rows(
                select(Delivery.text)
                .where(Delivery.address == address, Delivery.kind == "notice")
                .order_by(Delivery.id)
            )
        return [self.ground.vault.open(row.text.encode("ascii")) for row in rows]

    async def code(self, address: str) -> str:
        """The code in the newest letter to an address."""
        found = CODE.search((await self.letters(address))[-1])
        assert found
        return found[1] + found[2]

    async def signed_in(self, address: str, host: str = "everyline.test") -> httpx.AsyncClient:
        """A browser in which the customer with this address is signed in."""
        browser, base = await self.browser(host), "/help" if host == "everyline.test" else ""
        asked = await browser.post(f"{base}/en/sign-in", data={"address": address})
        assert asked.status_code == 303, asked.text
        came = await browser.post(f"{base}/en/sign-in/code", data={"code": await self.code(address)})
        assert came.status_code == 303, came.text
        return browser


@pytest.fixture
async def company(ground: Ground, client: httpx.AsyncClient) -> AsyncIterator[Company]:
    """The company, with a worker that takes in what comes."""
    line = await MailLine.add(ground)
    transport: Any = client._transport
    found = Company(ground, line, transport.app)
    working = asyncio.create_task(Processor(ground).run())
    yield found
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await found.close()
