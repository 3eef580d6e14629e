"""A real back office as a source: Tryton with its sale module, asked for the newest order of a customer by JSON-RPC."""

from __future__ import annotations

import base64
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from everyline.ground.installation import Ground
from everyline.selfservice.identity import Who
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.sources import Down, Found, Missing, look_up
from everyline.selfservice.sources.declared import Field, Http, Input, Secrets, Source
from tests.product import free_port
from tests.selfservice.backoffice import added
from tools.prepare import OFFICE

pytestmark = pytest.mark.req("V3", "W3", "W4")
PASSWORD = "harbor-office-1"
KEY = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
NEWEST = """{"id": 1, "method": "model.sale.sale.search_read", "params":
  [[["party.code", "=", "{customer}"]], 0, 1, [["id", "DESC"]], ["reference", "state", "total_amount", "sale_date"], {"company": 1}]}"""


@dataclass
class Tryton:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    def __call__(self, method: str, *params: Any) -> Any:
        """A call by somebody of the house."""
        asked = {"id": 1, "method": method, "params": [*params, {"company": 1}]}
        answer = httpx.post(self.url, json=asked, headers={"Authorization": KEY}, timeout=30).json()
        assert "result" in answer, answer
        return answer["result"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/desk/rpc/"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def fill(self) -> None:
        """A house with two customers, one of whom has ordered."""
        groups = self("model.res.group.search_read", [["name", "in", ["Sales", "Accounting"]]], 0, 9, None, ["id"])
        self("model.res.user.write", [1], {"groups": [["add", [one["id"] for one in groups]]]})
        dollar = {"name": "US Dollar", "code": "USD", "symbol": "$", "rounding": decimal("0.01"), "digits": 2}
        [currency] = self("model.currency.currency.create", [dollar])
        parties = [
            {"name": "Harbor County", "code": "1"},
            {"name": "Zoë Müller", "code": "4711"},
            {"name": "Max", "code": "4712"},
        ]
        [house, customer, _max] = self("model.party.party.create", parties)
        [company] = self("model.company.company.create", [{"party": house, "currency": currency}])
        self("model.res.user.write", [1], {"companies": [["add", [company]]], "company": company})
        for reference, price in (("R-1", "5.00"), ("R-2", "20.75")):
            line = {"type": "line", "quantity": 2, "unit_price": decimal(price), "description": "Mooring permit"}
            sale = {"party": customer, "company": company, "currency": currency, "reference": reference}
            self("model.sale.sale.create", [{**sale, "lines": [["create", [line]]]}])


def decimal(number: str) -> dict[str, str]:
    """A number as Tryton writes it."""
    return {"__class__": "Decimal", "decimal": number}


@pytest.fixture(scope="module")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    assert (OFFICE / "desk/desk.sqlite").exists(), "Tryton is missing: `make test` installs it"
    folder: Path = tmp_path_factory.mktemp("tryton")
    shutil.copytree(OFFICE / "desk", folder / "desk")
    port = free_port()
    (folder / "conf").write_text(
        f"[database]\nuri = sqlite://\npath = {folder}/desk\n[web]\nlisten = 127.0.0.1:{port}\n"
    )
    with (folder / "log").open("wb") as log:
        command = [str(OFFICE / "bin/trytond"), "-c", str(folder / "conf"), "-d", "desk"]
        found = Tryton(port, subprocess.Popen(command, stdout=log, stderr=log))
    try:
        _wait(found, folder / "log")
        found.fill()
        yield found
    finally:
        found.stop()


def _wait(found: Tryton, log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        assert found.process.poll() is None, log.read_text()
        try:
            httpx.get(found.url, timeout=5)
        except httpx.TransportError:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)  # it says nowhere that it is there
        else:
            return


def orders(found: Tryton, **facts: Any) -> Source:
    settings = Http(**{"method": "POST", "url": found.url, "body": NEWEST, "record": "/result", "inner": True, **facts})
    states = {name: {"en": name.title()} for name in ("draft", "quotation", "confirmed", "processing", "done")}
    fields = (
        Field(Slot(Kind.TEXT, "reference")),
        Field(Slot(Kind.CHOICE, "state", choices=states)),
        Field(Slot(Kind.MONEY, "total"), at="/total_amount/decimal"),
        Field(Slot(Kind.DATE, "day"), at="/sale_date", needed=False),
    )
    return Source(
        name="orders", settings=settings, inputs=(Input(Slot(Kind.TEXT, "customer")),), fields=fields, seconds=10
    )


async def ask(ground: Ground, customer: str) -> Any:
    return await look_up(ground, "orders", {"customer": Value(Kind.TEXT, customer)}, 10, Who())


async def test_the_newest_order_of_a_customer(ground: Ground, tryton: Tryton) -> None:
    await added(ground, orders(tryton), Secrets(headers={"Authorization": KEY}))
    assert await ask(ground, "4711") == Found(
        {
            "reference": Value(Kind.TEXT, "R-2"),
            "state": Value(Kind.CHOICE, "draft", words="Draft"),
            "total": Value(Kind.MONEY, "41.50", "USD"),
        }
    )
    assert await ask(ground, "4712") == Missing()
    for evil in (
        '4711"]], 0, 9, null, ["id"], {}]} //',
        "%",
        "' or 1=1 --",
        '{"__class__": "Decimal", "decimal": "1"}',
    ):
        assert await ask(ground, evil) == Missing(), evil


async def test_what_tryton_refuses_is_down(ground: Ground, tryton: Tryton) -> None:
    await added(ground, orders(tryton), Secrets(headers={"Authorization": "Basic bm9ib2R5Ondyb25n"}))
    refused = await ask(ground, "4711")
    assert isinstance(refused, Down)
    assert "401" in refused.reason
    wrong = replace(orders(tryton, body=NEWEST.replace("sale.sale", "sale.nothing")), name="wrong")
    await added(ground, wrong, Secrets(headers={"Authorization": KEY}))
    answer = await look_up(ground, "wrong", {"customer": Value(Kind.TEXT, "4711")}, 10, Who())
    assert answer == Down("The answer has nothing at /result.")
