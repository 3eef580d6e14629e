"""HTML messages in their frame, and files."""

from __future__ import annotations

import base64
import re
from email.message import EmailMessage

import pytest

from tests.desk.conftest import Desk

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def letter() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Bo <bo@example.org>", "help@county.example", "Pictures"
    message["Message-ID"] = "<pictures@example.org>"
    message.set_content("see the HTML")
    message.add_alternative(
        '<h1>Hello</h1><img src="cid:pic@x"><img src="https://tracker.example/x.png"><img src="cid:none">'
        "<script>alert(1)</script><table><tr><td onclick='x()'>Parcel</td></tr></table>",
        subtype="html",
    )
    _text, html = message.iter_parts()
    assert isinstance(html, EmailMessage)
    html.add_related(PIXEL, "image", "png", cid="<pic@x>", filename="pic.png")
    message.add_attachment(b"<script>alert(2)</script>", maintype="text", subtype="html", filename="page.html")
    return message.as_bytes()


@pytest.mark.req("E1")
async def test_a_letter_is_shown_where_nothing_runs_and_nothing_is_fetched_unasked(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.line.receive(letter())
    case_id = await desk.value('select max(id) from "case"')
    message = await desk.value("select id from message where html <> ''")
    page = (await desk.get(agent, f"/desk/cases/{case_id}")).text
    frame = re.search(r"<iframe[^>]+>", page)
    assert frame is not None
    assert f'src="/desk/messages/{message}/body"' in frame[0]
    assert "allow-scripts" not in frame[0]
    body = await desk.get(agent, f"/desk/messages/{message}/body")
    policy = body.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-same-origin" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy
    assert "https:" not in policy
    assert "<h1>Hello</h1>" in body.text
    assert "<script>" not in body.text
    assert "onclick" not in body.text
    assert ' src="https://tracker' not in body.text
    shown = await desk.get(agent, f"/desk/messages/{message}/body?images=1")
    assert ' src="https://tracker.example/x.png"' in shown.text
    assert "https:" in shown.headers["content-security-policy"]
    picture = re.search(r'src="(/desk/attachments/\d+\?inline=1)"', body.text)
    assert picture is not None
    got = await desk.get(agent, picture[1])
    assert (got.content, got.headers["content-type"]) == (PIXEL, "image/png")
    assert (await desk.get(await desk.sign_in(), f"/desk/messages/{message}/body")).status_code == 404


@pytest.mark.req("E1", "P3")
async def test_a_file_is_only_ever_saved(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.line.receive(letter())
    number = await desk.value("select id from attachment where name = 'page.html'")
    for path in (f"/desk/attachments/{number}", f"/desk/attachments/{number}?inline=1"):
        got = await desk.get(agent, path)
        assert got.headers["content-type"] == "application/octet-stream"
        assert got.headers["content-disposition"].startswith("attachment;")
        assert "sandbox" in got.headers["content-security-policy"]
    assert (await desk.get(agent, "/desk/attachments/9999")).status_code == 404
