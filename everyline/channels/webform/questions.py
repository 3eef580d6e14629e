"""The questions of a form: which kinds there are, and what is said of an answer that is none."""

from __future__ import annotations

from everyline.ground import questions
from everyline.ground.questions import Question
from everyline.ground.words import _

LONGEST = {"text": 1000, "long text": 20_000, "choice": 1000, "date": 10, "number": 40, "yes/no": 3}
MOST = 60


def read_questions(text: str) -> tuple[Question, ...]:
    """The questions of a line's setting. Raises ValueError with the number of the line that cannot be read."""
    return questions.read_questions(text, tuple(LONGEST), MOST)


def fault_of(question: Question, answer: str) -> str:
    """What is wrong with an answer, in words for who gave it; empty when nothing is."""
    match questions.fault_of(question, answer, LONGEST):
        case "missing" if question.kind in ("choice", "yes/no"):
            return _("%s: please choose one") % question.label
        case "missing":
            return _("%s: please fill this in") % question.label
        case "too long":
            most = LONGEST[question.kind]
            return _("%(label)s: please use at most %(n)s characters") % {"label": question.label, "n": most}
        case "choice":
            return _("%s: please choose one of those offered") % question.label
        case "yes/no":
            return _("%s: please choose yes or no") % question.label
        case "date":
            return _("%s: a date looks like 2026-03-31") % question.label
        case "number":
            return _("%s: a number looks like 12 or 12.5") % question.label
    return ""
