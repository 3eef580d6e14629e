"""Going on elsewhere: a run that began in a talk goes on in a browser, by a link or by a code that is typed. Each works once and
for half an hour. Neither shows who somebody is: what takes proof asks for it again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.selfservice.running.keeping import statements

HOLDS = timedelta(minutes=30)
SIGNS = "23456789CDFGHJKMNPQRTVWXYZ"  # none is taken for another, and no words come of them
CODE = 8  # signs: 37 bits, of which a few are tried at most


@dataclass(frozen=True, slots=True)
class Link:
    """``token`` stands in an address; ``code`` is typed."""

    token: str
    code: str

    def url(self, address: str) -> str:
        """Where it leads. ``address``: the installation's own."""
        return f"{address.rstrip('/')}/go/{self.token}"


async def make(tx: Tx, key: bytes, run_id: int) -> Link:
    """A new way to go on with a run."""
    token, code = secrets.token_urlsafe(24), "".join(secrets.choice(SIGNS) for _n in range(CODE))
    values = {"token_hash": _token_hash(token), "code_hash": _code_hash(key, code), "run_id": run_id}
    await tx.execute(statements.make_link, {**values, "ends_at": now() + HOLDS})
    return Link(token, f"{code[:4]}-{code[4:]}")


async def is_there(tx: Tx, token: str) -> bool:
    """Does a link lead anywhere? Looking uses nothing up: machines look at links before people do."""
    return bool(await tx.column(statements.linked, {"hash": _token_hash(token), "at": now()}))


async def follow(tx: Tx, token: str) -> int:
    """The run that a link leads to; it is used up. NotFound."""
    return await _used(tx, _token_hash(token))


async def type_in(tx: Tx, key: bytes, code: str) -> int:
    """The run that a code leads to; it is used up. NotFound. Tries are counted by who asks."""
    bare = "".join(one for one in code.upper() if one.isalnum())
    return await _used(tx, _code_hash(key, bare))


async def _used(tx: Tx, digest: bytes) -> int:
    run_id = await tx.value(statements.use_link, {"hash": digest, "at": now()})
    if run_id is None:
        raise NotFound(_("This link or code does not lead on: it was used already, or its half hour is over."))
    return int(run_id)


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _code_hash(key: bytes, code: str) -> bytes:
    """With the installation's key: who gets at the table alone cannot try all codes."""
    return hmac.digest(key, f"flow code {code}".encode(), "sha256")
