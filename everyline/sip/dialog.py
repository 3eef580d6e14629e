"""What two parties of a call keep of each other (RFC 3261, 12), and the requests that follow from it."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field, replace

from everyline.sip.addresses import Named, Uri, many
from everyline.sip.messages import SDP, Answer, Fields, Request

ALLOWED = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY"
SUPPORTED = "timer, replaces"


@dataclass
class Dialog:
    """One dialog, early or confirmed. ``peer`` is where its packets came from or went to first."""

    call_id: str
    ours: Named
    theirs: Named
    reachable_at: Named
    target: Uri
    peer: tuple[str, int]
    routes: tuple[str, ...] = ()
    our_number: int = field(default_factory=lambda: random.randrange(1, 2**20))
    their_number: int = -1

    @classmethod
    def of_request(cls, request: Request, reachable_at: Named) -> Dialog | None:
        """The dialog that an INVITE asks for, on the side of whoever got it; None when it lacks what it needs."""
        theirs, ours = Named.read(request.one("from")), Named.read(request.one("to"))
        reached = many(request.all("contact"))
        number = request.one("cseq").split()[:1]
        if theirs is None or ours is None or not reached or not theirs.tag or not number:
            return None
        ours = replace(ours, parameters={**ours.parameters, "tag": secrets.token_hex(8)})
        routes = tuple(str(one) for one in many(request.all("record-route")))
        return cls(
            request.call_id,
            ours,
            theirs,
            reachable_at,
            reached[0].uri,
            request.source,
            routes,
            their_number=int(number[0]),
        )

    @classmethod
    def beginning(cls, ours: Named, theirs: Named, reachable_at: Named, target: Uri, peer: tuple[str, int]) -> Dialog:
        """The dialog that an INVITE of ours begins."""
        tagged = replace(ours, parameters={**ours.parameters, "tag": secrets.token_hex(8)})
        return cls(f"{secrets.token_hex(16)}@{reachable_at.uri.host}", tagged, theirs, reachable_at, target, peer)

    def confirm(self, answer: Answer) -> None:
        """Take over what an answer to our INVITE says of the other side."""
        theirs = Named.read(answer.one("to"))
        if theirs is not None and theirs.tag:
            self.theirs = theirs
        reached = many(answer.all("contact"))
        if reached:
            self.target = reached[0].uri
        self.routes = tuple(str(one) for one in reversed(many(answer.all("record-route"))))

    def request(self, method: str, fields: Fields = (), body: bytes = b"", body_type: str = SDP) -> Request:
        """The next request of ours."""
        self.our_number += 1
        head: Fields = (
            *(("route", route) for route in self.routes),
            ("max-forwards", "70"),
            ("from", str(self.ours)),
            ("to", str(self.theirs)),
            ("call-id", self.call_id),
            ("cseq", f"{self.our_number} {method}"),
            ("contact", str(self.reachable_at)),
            ("user-agent", "Everyline"),
        )
        return Request((*head, *fields), body, body_type, method=method, uri=str(self.target))

    def again(self, request: Request, more: Fields = ()) -> Request:
        """The same request under the next number, with more fields."""
        self.our_number += 1
        kept = tuple((name, text) for name, text in request.fields if name != "cseq")
        return replace(request, fields=(*kept, ("cseq", f"{self.our_number} {request.method}"), *more))

    def follows(self, request: Request) -> bool:
        """Whether a request of theirs is the next one and not an old one; remembers it."""
        number = request.one("cseq").split()[:1]
        if not number or not number[0].isdecimal() or int(number[0]) <= self.their_number:
            return False
        self.their_number = int(number[0])
        return True

    @property
    def next_hop(self) -> tuple[str, int]:
        """Where requests go: the first route when there is one, else the other side itself."""
        first = Named.read(self.routes[0]) if self.routes else None
        return (first.uri if first else self.target).address if (first or self.target.host) else self.peer

    @property
    def key(self) -> tuple[str, str]:
        """What a request of theirs finds it by: the call and our tag."""
        return self.call_id, self.ours.tag
