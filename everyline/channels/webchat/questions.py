"""The questions before a talk: which kinds there are, and what is said of an answer that is none."""

from __future__ import annotations

from everyline.ground import questions
from everyline.ground.questions import Question
from everyline.ground.words import _

LONGEST = {
    "text": 1000, "long text": 4000, "choice": 1000, "date": 10, "number": 40, "yes/no": 3, "name": 200, "mailbox": 320,
}  # fmt: skip
MOST = 20


def read_questions(text: str) -> tuple[Question, ...]:
    """The questions of a line's setting. Raises ValueError with the number of the line that cannot be read."""
    return questions.read_questions(text, tuple(LONGEST), MOST)


def fault_of(question: Question, answer: str) -> str:
    """What is wrong with an answer, in words for who gave it; empty when nothing is."""
    match questions.fault_of(question, answer, LONGEST):
        case "missing":
            return _("Please fill this in")
        case "too long":
            return _("Please use at most %s characters") % LONGEST[question.kind]
        case "choice":
            return _("Please choose one of those offered")
        case "yes/no":
            return _("Please choose yes or no")
        case "date":
            return _("A date looks like 2026-03-31")
        case "number":
            return _("A number looks like 12 or 12.5")
        case "mailbox":
            return _("Please check your email address: it looks like name@example.org")
    return ""
