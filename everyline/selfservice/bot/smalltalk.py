"""Small talk that every house has: greetings, thanks, goodbyes, and whether one talks to a machine. Kept short. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from everyline.ground.spoken import plain
from everyline.ground.words import _

_SAID: Mapping[str, str] = {
    "hello": (
        r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|greetings|hola|buen\w+ (?:dias?|tardes|noches)|hallo|guten (?:tag|morgen|abend)"
        r"|moin|servus|gruss gott|bonjour|bonsoir|salut|xin chao|chao(?: ban| anh| chi)?)(?: there| everyone| all| bot)?"
    ),
    "thanks": (
        r"(?:ok(?:ay)? )?(?:(?:many |muchas |mil |vielen |merci |cam on )?(?:thanks|thank you|thx|ty|cheers|gracias|danke(?: schon)?|dank|merci|cam on)"
        r"(?: you| so much| very much| a lot| beaucoup| sehr| ban| nhieu)?|that (?:helps|helped)(?: me)?|great|perfect|perfecto|super|prima|parfait)"
        r"(?: (?:for (?:your|the) help|that helps|that helped))?"
    ),
    "bye": (
        r"(?:good ?bye|bye(?: bye)?|see you|have a (?:nice|good) (?:day|one)|adios|hasta (?:luego|pronto)|tschuss|auf wiedersehen|au revoir|a bientot"
        r"|tam biet|that is all|that's all|nothing else|nada mas|das war alles|c'est tout)"
    ),
    "who": (
        r"(?:are you|is this|am i (?:talking|speaking|chatting) (?:to|with))(?: a| an)? (?:bot|robot|human|machine|computer|real person|person|ai)"
        r"|(?:who|what) are you|what is your name|what's your name|eres (?:un |una )?(?:robot|bot|persona|maquina)|quien eres"
        r"|(?:bist du|sind sie) ein (?:bot|roboter|mensch|computer)|wer (?:bist du|sind sie)"
        r"|(?:es tu|etes vous) un (?:robot|bot|humain)|qui (?:es tu|etes vous)|ban (?:co phai )?la (?:ai|robot|may|nguoi)"
    ),
    "can": (
        r"what can you do(?: for me)?|how can you help(?: me)?|can you help(?: me)?|i need help|help(?: me)?|i have a question|que puedes hacer|ayuda|necesito ayuda"
        r"|tengo una pregunta|was kannst du|was konnen sie|hilfe|ich brauche hilfe|ich habe eine frage|que peux tu faire|aide|j'ai une question|tro giup|giup toi"
    ),
}
_PATTERNS = {kind: re.compile(rf"(?:{pattern})(?: please| bitte| por favor)?") for kind, pattern in _SAID.items()}


def kind_of(said: str) -> str:
    """What kind of small talk it is and nothing else: hello, thanks, bye, who, can; empty: none."""
    words = plain(said)
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(words)), "")


def answer(kind: str) -> str:
    """What is answered, in the language spoken now."""
    return {
        "hello": _("Hello! What can we do for you?"),
        "thanks": _("You are welcome."),
        "bye": _("Good bye."),
        "who": _("I am a computer program that looks things up for you. Say “agent” whenever you want a person."),
        "can": _("Ask in your own words: I look it up, or bring you to a person."),
    }[kind]
