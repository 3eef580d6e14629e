"""What a browser may listen to."""

from __future__ import annotations

import pytest

from everyline.ground.installation import Ground
from everyline.people.rules import Me, Role
from everyline.roles.live import allowed

pytestmark = pytest.mark.req("A2", "P5")


@pytest.mark.parametrize(
    ("all_queues", "heard"), [(False, {"queue:1", "queue:2"}), (True, {"queue:1", "queue:2", "queue:9", "queues"})]
)
async def test_all_queues_are_heard_by_who_sees_all_of_them(ground: Ground, all_queues: bool, heard: set[str]) -> None:
    me = Me(3, "Dana", "dana@harbor.example", Role.AGENT, all_queues, frozenset({1, 2}), "en", "UTC", "auto")
    async with ground.database.transaction() as tx:
        asked = ("queue:1", "queue:2", "queue:9", "queues")
        assert {topic for topic in asked if await allowed(tx, me, topic)} == heard
