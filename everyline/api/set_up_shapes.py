"""What the API gives and takes of the arrangement of work. Expressions are written as people write them:
``water >= 3 and (spanish or "sign language" >= 4) and not trainee``."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from everyline.api.shapes import Asked, QueueShape, Shape

Strategies = Literal["longest idle", "least occupied", "most skilled", "fewest handled"]
Conditions = Literal["expected wait over", "service level under", "agents ready under"]


class StepShape(Asked):
    after: float | None = Field(None, description="Seconds waited.")
    condition: Conditions | None = None
    value: float = Field(0, description="What the condition compares with: seconds, per cent, or how many agents.")
    wants: str = Field("", description="What is asked for from then on, in place of what the queue asks for.")
    language: bool = Field(default=True, description="Is the customer's language still needed?")


class QueueWhole(QueueShape):
    hue: int
    signature: str
    position: int
    wants: str = Field(description="What the queue asks of agents.")
    steps: list[StepShape]
    speaks: bool
    rings: int
    accepts: bool
    earlier_agent: str
    preferred_seconds: int
    answer_seconds: int
    answer_share: int
    formula: str
    short_seconds: int
    most_waiting: int
    most_wait_seconds: int
    overflow_queue_id: int | None
    rejoin_seconds: int


class QueueChange(Asked):
    name: str | None = None
    hue: int | None = None
    hours_id: int | None = None
    priority: int | None = Field(None, description="-5 to 5; one step weighs as much as ten minutes of waiting.")
    goal_seconds: int | None = Field(None, description="First answer, in open hours.")
    wrap_up_seconds: int | None = None
    strategy: Strategies | None = None
    signature: str | None = None
    position: int | None = None
    wants: str | None = Field(None, description="What the queue asks of agents; empty asks for nothing.")
    steps: list[StepShape] | None = None
    speaks: bool | None = Field(None, description="Do entries need the customer's language?")
    rings: int | None = Field(None, description="To how many agents an entry is shown at once.")
    accepts: bool | None = Field(None, description="Is an offer accepted by itself?")
    earlier_agent: Literal["off", "members", "any"] | None = None
    preferred_seconds: int | None = None
    answer_seconds: int | None = Field(None, description="The service level's time; 0: goal_seconds.")
    answer_share: int | None = Field(None, description="Per cent within that time.")
    formula: str | None = Field(None, description="How the service level is counted, such as SL-off-s.")
    short_seconds: int | None = None
    most_waiting: int | None = Field(None, description="0: as many as come.")
    most_wait_seconds: int | None = Field(None, description="0: as long as it takes.")
    overflow_queue_id: int | None = None
    rejoin_seconds: int | None = None


class QueueAsked(QueueChange):
    name: str


class ExpressionAsked(Asked):
    expression: str


class FitShape(Shape):
    fits: int
    of: int
    nearest: str | None = Field(
        description="What somebody fits, when nobody fits the expression; null when somebody does."
    )
    nearest_fits: int


class UnmetShape(Shape):
    entry_id: int
    case_id: int
    queue_id: int
    waiting_since: datetime
    asks: str
    nearest: str


class AgentIds(Asked):
    agent_ids: list[int]


class SkillShape(Shape):
    id: int
    name: str
    language: str | None
    agents: int = Field(description="How many have it.")


class SkillAsked(Asked):
    name: str
    language: str | None = Field(None, description="ISO 639-1, when it is a language.")


class SkillChange(Asked):
    name: str


class NeededShape(Shape):
    agents: int
    queues: list[int]
    steps: list[tuple[int, int]] = Field(description="Queue and number of the step.")
    entries: int


class LevelsShape(Asked):
    levels: dict[int, int] = Field(description="Level from 1 to 5 by the skill's id.")


class CapacityShape(Asked):
    most: dict[str, int] = Field(
        description="Interactions at once, by media class, or by = and a channel. What is not named follows the rule."
    )
    weights: dict[str, int] = Field(default_factory=dict, description="Units of 100 that one takes, likewise.")


class TelephoneShape(Asked):
    telephone: str = Field(
        max_length=350, description="A number (E.164), or the sip: address of a telephone of yours; empty: the browser."
    )


class TeamShape(Shape):
    id: int
    name: str
    partner: bool
    agents: int
    queue_ids: list[int]


class TeamAsked(Asked):
    name: str
    partner: bool = False


class TeamChange(Asked):
    name: str | None = None
    partner: bool | None = None


class PartShape(Shape):
    team_id: int
    delay_seconds: int = 0
    share: int | None = Field(None, description="Per cent of the queue's entries.")
    floor: int | None = Field(None, description="At least so many in 15 minutes.")
    ceiling: int | None = Field(None, description="At most so many in 15 minutes.")


class PartsAsked(Asked):
    teams: list[PartShape]


class GivenShape(Shape):
    team_id: int
    given: int
    share: float
    target: float | None = Field(description="As it is set today; null: no share is set.")


class SplitShape(Shape):
    begins_at: datetime
    given: int
    teams: list[GivenShape]


class HoursShape(Shape):
    id: int
    name: str
    zone: str
    holidays_of: str
    closed_now: str = Field(description="The message of an emergency closure; empty: there is none.")
    closed_words: dict[str, str] = Field(description="That message on a channel, where it is another one there.")


class ClosureAsked(Asked):
    message: str
    words: dict[str, str] = Field(default_factory=dict, description="By channel, where people are told something else.")
