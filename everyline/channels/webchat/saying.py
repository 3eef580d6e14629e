"""Saying something: checked, counted, and kept before the visitor is told yes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from everyline.channel_contract import Raw, TalkDoor, Verification
from everyline.channels.webchat import piece, uploads
from everyline.channels.webchat.answers import Asked, Refusal, answer, text_in, words
from everyline.channels.webchat.limits import Buckets
from everyline.channels.webchat.piece import KeptFile, KeptPage, Utterance
from everyline.ground import addresses
from everyline.ground.addresses import network
from everyline.ground.words import _


class Saying:
    """For one process."""

    def __init__(self, door: TalkDoor, buckets: Buckets) -> None:
        self._door, self._buckets = door, buckets

    async def message(self, asked: Asked) -> Response:
        """Words."""
        return await self._keep(asked, await words(asked.request), ())

    async def files(self, asked: Asked) -> Response:
        """Files, with words or without."""
        said, sent = await uploads.form(asked.request, asked.settings)
        try:
            return await self._keep(asked, said, await uploads.files(sent, asked.settings))
        finally:
            for upload in sent:
                await upload.close()

    async def _keep(self, asked: Asked, said: Mapping[str, Any], files: Sequence[KeptFile]) -> Response:
        settings, visitor, line = asked.settings, asked.visitor, asked.line
        client_id = uploads.client_id(said)
        self._count(asked, said)
        text = uploads.text(said, settings)
        if not text and not files:
            raise Refusal(422, "wrong", _("Write something."), fields={"text": _("Write something.")})
        answers = uploads.answers(said, settings)
        page = uploads.page_in(said["page"]) if isinstance(said.get("page"), dict) else None
        labels = {one.name: one.label for one in settings.asked if one.kind not in ("name", "mailbox")}
        kept = Utterance(
            visitor=visitor.id,
            client_id=client_id,
            text=text,
            language=text_in(said, "language", 20),
            fields=tuple((label, answers[name]) for name, label in labels.items() if answers.get(name)),
            page=KeptPage(url=page.url, title=page.title) if page is not None else None,
            begins=said.get("begins") is True,
            mailbox=_mailbox(text_in(said, "mailbox", 400) or answers.get("mailbox", "")),
            verification=visitor.verification,
            verified=visitor.mailbox if visitor.verification is not Verification.NONE else "",
            name=visitor.name or answers.get("name", ""),
            files=tuple(files),
        )
        body = await asyncio.to_thread(kept.as_bytes) if files else kept.as_bytes()
        raw = Raw(piece.external_id(visitor.id, client_id), body, writer=visitor.id)
        new = await self._door.accept(line, raw)
        return answer({"id": client_id, "new": new}, 202)

    def _count(self, asked: Asked, said: Mapping[str, Any]) -> None:
        settings, line = asked.settings, asked.line
        own = f"messages {line.id} {asked.visitor.id}"
        wait = self._buckets.wait(own, most=settings.most_a_minute, seconds=60)
        if not wait and isinstance(said.get("fields"), dict):  # which is how a talk begins
            host = network(asked.request.client.host if asked.request.client else "")
            wait = self._buckets.wait(f"talks {line.id} {host}", most=settings.most_talks, seconds=3600)
        if wait:
            told = _("That was a little too often. Please wait a moment.")
            raise Refusal(429, "slower", told, retry_after=wait)


def _mailbox(given: str) -> str:
    if not given.strip():
        return ""
    try:
        return addresses.normal_mailbox(given)
    except ValueError as error:
        told = _("Please check your email address: it looks like name@example.org")
        raise Refusal(422, "wrong", told, fields={"mailbox": told}) from error
