"""Questions in anybody's words: answered out of articles, led to flows and errands, or to people.

``await bot.answer(ground, said, heard)`` is all that a channel needs; ``replies`` has the shapes.
"""

from everyline.selfservice.bot.answering import answer
from everyline.selfservice.bot.replies import Choice, Heard, Outcome, Reply, Source, Target

__all__ = ["Choice", "Heard", "Outcome", "Reply", "Source", "Target", "answer"]
