"""What a channel may ask of talks: the part of the door that live text goes through."""

from __future__ import annotations

import contextlib
import hmac
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from everyline.articles import actions as articles
from everyline.articles import finding
from everyline.articles import queries as article_queries
from everyline.articles.queries import Moved, Reader, Shown
from everyline.channel_contract import (
    Address,
    ArticleHit,
    ArticleText,
    File,
    Following,
    Line,
    Page,
    Standing,
    SurveyQuestion,
    Talk,
    TalkSoFar,
    Wait,
)
from everyline.channel_registry import channel
from everyline.dispatch import actions as dispatch
from everyline.ground import markdown
from everyline.ground.clock import now
from everyline.ground.database import DatabaseError, Row, Tx, is_away
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.installation import Ground
from everyline.ground.live import Hub
from everyline.ground.words import _, mark, speaking
from everyline.intake import self_service, talking, telling
from everyline.intake.acknowledgements import duration_in_words, standing_in_words, wait_in_words
from everyline.intake.following import Followers, places_in
from everyline.intake.keeper import survey_token
from everyline.intake.queries import statements
from everyline.lines import queries as line_queries
from everyline.people.queries import organisation_name
from everyline.queues import actions as queues
from everyline.queues import attendance
from everyline.queues import queries as queue_queries
from everyline.queues.waits import rounded

LATER = mark("It could not be kept now; please send it again later.")
STANDING_SECONDS = 3.0  # how long what is said of a line is taken as it was
CODE_SECONDS = 600.0  # a code works for ten minutes, and until the next ten are over
MOST_HITS = 6
MOST_CODES = 3  # to one mailbox within that time
VOTED_SECONDS = 600.0  # who says twice whether an article helped has said it once
MOST_TRIES = 5  # of one sender; four times as many of one mailbox, whoever tries


class TalkDoor:
    """Live text, for one process. Following needs the hub that reads events here."""

    def __init__(self, ground: Ground, hub: Hub | None = None, surveys: talking.Surveys | None = None) -> None:
        self._ground, self._surveys = ground, surveys
        self._followers = Followers(ground, hub, self._survey_of) if hub is not None else None
        self._standings: dict[tuple[int, str], tuple[float, Standing]] = {}

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Tx]:
        """A transaction; a channel is told to ask again later when there is none to be had."""
        try:
            async with self._ground.database.transaction() as tx:
                yield tx
        except DatabaseError as error:
            if not is_away(error):
                raise
            raise OSError(_(LATER)) from error

    async def take_turn(self, line: Line, writer: str, *, most: int, seconds: float) -> float:
        at = now()
        values = {
            "line_id": line.id,
            "writer": writer,
            "at": at,
            "since": at - timedelta(seconds=seconds),
            "ends_at": at + timedelta(seconds=seconds),
            "most": most,
        }
        async with self._transaction() as tx:
            await tx.execute(statements.lock_turns, {"key": f"turn {line.id} {writer}"})
            return float(await tx.value(statements.take_turn, values))

    async def once(self, line: Line, key: str, *, seconds: float) -> bool:
        return await self.take_turn(line, f"once {self._digest(key)}", most=1, seconds=seconds) == 0

    async def standing(self, line: Line, language: str) -> Standing:
        kept = self._standings.get((line.id, language))
        if kept is not None and time.monotonic() - kept[0] < STANDING_SECONDS:
            return kept[1]
        async with self._transaction() as tx:
            with speaking(language):
                found = await self._stands(tx, line)
        if len(self._standings) > 1000:
            self._standings.clear()
        self._standings[line.id, language] = (time.monotonic(), found)
        return found

    async def _stands(self, tx: Tx, line: Line) -> Standing:
        row = await line_queries.get(tx, line.id)
        queue_id = row.queue_id or await queue_queries.default_queue(tx)
        if queue_id is None:
            return Standing(
                open=False, staffed=False, words=_("We are closed."), closed_words="", usual="", wait=None, team=()
            )
        at = now()
        there = await attendance.of(tx, row.hours_id, queue_id, line.settings.talks)
        usual = await queue_queries.usual_answer_seconds(tx, queue_id, there.hours.zone)
        expected = await queues.expected_wait(tx, queue_id) if there.attended else None
        ahead = None
        if expected is not None:
            low, high = rounded(expected.low), rounded(expected.high)
            ahead = Wait(low, high, wait_in_words(low, high))
        team = await attendance.team(tx, queue_id) if there.attended else ()
        return Standing(
            there.open,
            there.attended,
            standing_in_words(there.hours, at, attended=there.attended),
            there.hours.closure(line.channel),
            "" if usual is None else duration_in_words(timedelta(seconds=usual)),
            ahead,
            tuple(telling.person(one.id, one.name) for one in team),
        )

    async def talk(self, line: Line, sender: Address, language: str, *, before: int = 0, most: int = 50) -> TalkSoFar:
        async with self._transaction() as tx:
            point_id = await talking.point_of(tx, sender)
            if point_id is None:
                return TalkSoFar(None, (), earlier=False, position="")
            values = {"point_id": point_id, "line_id": line.id, "before": before, "most": most + 1}
            rows = await tx.rows(talking.statements.messages_before, values)
            found = await self._as_told(tx, line, sender, language)
        newest: dict[int, int] = {}
        for row in rows:
            newest[row.interaction_id] = max(row.id, newest.get(row.interaction_id, 0))
        told = tuple(telling.message(row) for row in reversed(rows[:most]))
        return TalkSoFar(found, told, len(rows) > most, telling.position(newest))

    async def _as_told(self, tx: Tx, line: Line, sender: Address, language: str) -> Talk | None:
        row = await talking.newest(tx, line.id, sender)
        if row is None:
            return None
        place, ahead = None, None
        with speaking(language or row.language or "en"):
            if row.waits_in is not None:
                standing, served = (await places_in(tx, [row.waits_in]))[row.waits_in]
                place = standing.get(row.entry_id)
                ahead = telling.wait(place, served, now().timestamp()) if place else None
            return telling.talk(row, place, ahead, self._survey_of(row))

    async def _now(self, tx: Tx, line: Line, sender: Address) -> Talk:
        found = await self._as_told(tx, line, sender, "")
        if found is None:
            raise Conflict(_("There is no talk."))
        return found

    def follow(self, line: Line, sender: Address, language: str, after: str) -> Following:
        if self._followers is None:
            raise RuntimeError("nobody follows talks in this process")
        return self._followers.open(line.id, sender, language, after)

    async def typing(self, line: Line, sender: Address, *, on: bool) -> None:
        case_id = self._followers.case_of(line.id, sender) if self._followers is not None else None
        if case_id is None:
            async with self._transaction() as tx:
                row = await talking.newest(tx, line.id, sender)
            if row is None or row.ended_at is not None:
                return
            case_id = row.case_id
        self._ground.bus.say({"kind": talking.WORD, "what": "typing", "by": "customer", "case": case_id, "on": on})

    async def seen(self, line: Line, sender: Address, upto: int) -> None:
        async with self._transaction() as tx:
            await talking.see(tx, self._ground.bus, line.id, sender, upto)

    async def looks_at(self, line: Line, sender: Address, page: Page) -> None:
        async with self._transaction() as tx:
            await talking.look_at(tx, line.id, sender, page)

    async def claim(self, line: Line, sender: Address, mailbox: str, *, instead: bool) -> Talk:
        async with self._transaction() as tx:
            await talking.claim(tx, line.id, sender, mailbox, instead=instead)
            return await self._now(tx, line, sender)

    async def ask_callback(self, line: Line, sender: Address, number: str) -> Talk:
        async with self._transaction() as tx:
            await talking.ask_callback(tx, line.id, sender, number)
            return await self._now(tx, line, sender)

    async def end(self, line: Line, sender: Address) -> Talk:
        async with self._transaction() as tx:
            await talking.end_by_customer(tx, line.id, sender)
            return await self._now(tx, line, sender)

    async def elsewhere(self, line: Line, sender: Address) -> None:
        async with self._transaction() as tx:
            row = await talking.newest(tx, line.id, sender, lock=True)
            if row is None or row.ended_at is not None:
                raise Conflict(_("There is no talk."))
            await self_service.tell_elsewhere(tx, self._ground, row)

    async def transcript(self, line: Line, sender: Address, mailbox: str) -> None:
        async with self._transaction() as tx:
            await talking.ask_transcript(tx, self._ground.signer, line.id, sender, mailbox)

    def _survey_of(self, row: Row) -> SurveyQuestion | None:
        if not row.survey or self._surveys is None:
            return None
        return self._surveys.question(row.survey, survey_token(self._ground.key, row.id))

    async def answer_survey(self, line: Line, sender: Address, token: str, score: int, words: str) -> None:
        if self._surveys is None:
            raise NotFound(_("This question does not stand open any more."))
        async with self._transaction() as tx:
            row = await talking.newest(tx, line.id, sender)
            own = survey_token(self._ground.key, row.id) if row is not None else ""
            await talking.answer_survey(tx, self._surveys, line.id, sender, token, score, words, own=own)

    async def file(self, line: Line, sender: Address, file_id: int) -> File:
        async with self._transaction() as tx:
            point_id = await talking.point_of(tx, sender)
            values = {"file_id": file_id, "point_id": point_id, "line_id": line.id}
            row = await tx.first(talking.statements.file_of, values) if point_id is not None else None
        if row is None:
            raise NotFound(_("There is no such file."))
        return File(row.name, row.content_type, await self._ground.files.read(row.file_hash))

    async def send_code(self, line: Line, sender: Address, mailbox: str, language: str) -> float:
        wait = await self.take_turn(line, f"code {self._digest(mailbox)}", most=MOST_CODES, seconds=CODE_SECONDS)
        if wait:
            return wait
        window = int(now().timestamp() // CODE_SECONDS)
        code = self._code(line, sender, mailbox, window)
        async with self._transaction() as tx:
            with speaking(language or line.language):
                organisation = await organisation_name(tx)
                subject = _("Your code: %s") % code
                said = _(
                    "Somebody who talks to %(house)s says that this mailbox is theirs. If that is you, type this code there: "
                    "%(code)s\n\nIt works for ten minutes. If it is not you, there is nothing to do: without the code nobody "
                    "sees anything of yours."
                ) % {"house": organisation, "code": code}
            await dispatch.notify(
                tx,
                self._ground.vault,
                idempotency_key=f"code:{self._digest(f'{line.id} {sender.address} {mailbox} {now().isoformat()}')}",
                address=mailbox,
                name="",
                subject=subject,
                text=f"{said}\n\n{organisation}\n",
                language=language or line.language,
            )
        return 0.0

    async def check_code(self, line: Line, sender: Address, mailbox: str, code: str) -> bool:
        for writer, most in (
            (f"try {self._digest(f'{sender.address} {mailbox}')}", MOST_TRIES),
            (f"tries {self._digest(mailbox)}", 4 * MOST_TRIES),
        ):
            if await self.take_turn(line, writer, most=most, seconds=CODE_SECONDS):
                return False
        window = int(now().timestamp() // CODE_SECONDS)
        fits = [
            one for one in (window, window - 1) if hmac.compare_digest(self._code(line, sender, mailbox, one), code)
        ]
        return bool(fits) and await self.once(
            line, f"code {sender.address} {mailbox} {fits[0]}", seconds=3 * CODE_SECONDS
        )

    def _code(self, line: Line, sender: Address, mailbox: str, window: int) -> str:
        """Six digits that follow from whose they are and when: nothing need be kept for what is never told."""
        said = f"code {line.id} {sender.kind} {sender.address} {mailbox} {window}".encode()
        return f"{int.from_bytes(hmac.digest(self._ground.key, said, 'sha256')[:8], 'big') % 1_000_000:06d}"

    def _digest(self, text: str) -> str:
        return hmac.digest(self._ground.key, text.encode(), "sha256").hex()[:32]

    async def find_articles(self, line: Line, words: str, language: str, *, whole: bool) -> Sequence[ArticleHit]:
        asked = finding.Asked(
            words, Reader("public", language), channel=line.channel, most=MOST_HITS, otherwise=line.language
        )
        async with self._transaction() as tx:
            hits = await finding.find(tx, asked)
            if whole and not any(hit.useful for hit in hits):
                await articles.found_nothing(tx, words, language, channel=line.channel)
        return [ArticleHit(hit.slug, str(hit.title), str(hit.extract)) for hit in hits]

    async def article(self, line: Line, slug: str, language: str) -> ArticleText:
        async with self._transaction() as tx:
            found = await self._shown(tx, slug, language)
            # the wording of live text is called as its media class is
            kind = str(channel(line.channel).facts.media_class)
            text = await article_queries.wording(tx, found.article_id, kind, found.language)
            await articles.viewed(tx, found.article_id, found.language, channel=line.channel)
        url = f"{self._ground.settings.portal}/{found.language}/articles/{found.slug}"
        return ArticleText(found.slug, found.title, markdown.html(text), url)

    async def article_voted(
        self, line: Line, sender: Address, slug: str, language: str, *, helped: bool, instead: bool
    ) -> bool:
        async with self._transaction() as tx:
            found = await self._shown(tx, slug, language)
        said = f"voted {sender.address} {found.article_id} {found.language}"
        if not await self.once(line, said, seconds=VOTED_SECONDS):
            return False
        async with self._transaction() as tx:
            await articles.feedback(tx, found.article_id, found.language, helped, channel=line.channel)
            if helped and instead:
                await articles.deflected(tx, found.article_id, found.language, channel=line.channel)
        return True

    async def _shown(self, tx: Tx, slug: str, language: str) -> Shown:
        """An article that anybody may read, under this name or the one that it has now."""
        reader = Reader("public", language)
        found = await article_queries.shown(tx, reader, slug)
        if isinstance(found, Moved):
            found = await article_queries.shown(tx, reader, found.slug)
        if isinstance(found, Moved):
            raise NotFound(_("There is no such article."))
        return found
