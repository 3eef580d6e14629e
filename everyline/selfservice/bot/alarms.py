"""What no machine answers: distress, somebody who wants a person, abuse; and what says nothing at all. Pure.

Words are looked for in every language there are some for, whatever language is spoken: who is afraid falls back into their own.
What a house adds stands beside, under its own settings (``BotSetting.distress``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from everyline.ground.spoken import Reserved, plain, reserved

# whole words, without case, accents and signs; * stands for the rest of a word, … for up to three words
_DISTRESS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "kill myself", "killing myself", "end my life", "ending my life", "take my own life", "suicid*", "want to die",
        "wish i was dead", "wish i were dead", "better off dead", "hurt myself", "harm myself", "self harm", "no reason to live",
        "cannot go on", "can't go on", "cant go on", "do not want to live", "don't want to live", "dont want to live",
        "going to kill me", "will kill me", "wants to kill me", "threatens to kill", "threatened to kill", "beats me", "he hits me",
        "she hits me", "hitting me", "domestic violence", "being abused", "raped", "rape me", "call 911", "call the police",
        "call an ambulance", "need an ambulance", "house is on fire", "building is on fire", "there is a fire", "theres a fire",
        "smell gas", "smells of gas", "smells like gas", "smell of gas", "gas leak", "leaking gas", "carbon monoxide", "not breathing",
        "can't breathe", "cant breathe", "cannot breathe", "unconscious", "overdos*", "bleeding badly", "heart attack", "having a stroke",
        "chest pain*", "is drowning", "child is missing", "kidnapped", "has a gun", "has a knife", "with a gun", "my life is in danger",
        "i am in danger", "im in danger", "i'm in danger", "power line is down … sparking", "live wire",
    ),
    "es": (
        "suicid*", "matarme", "quitarme la vida", "acabar con mi vida", "quiero morir*", "no quiero vivir", "no quiero seguir viviendo",
        "hacerme daño", "me va a matar", "me quiere matar", "me pega", "me golpea", "violencia domestica", "violencia de genero",
        "me violo", "me violaron", "llame al 911", "llamen al 911", "llamen a la policia", "una ambulancia", "hay un incendio",
        "se esta quemando", "esta en llamas", "huele a gas", "olor a gas", "fuga de gas", "monoxido de carbono", "no respira",
        "no puedo respirar", "inconsciente", "sobredosis", "un infarto", "dolor en el pecho", "se esta ahogando", "tiene un arma",
        "tiene una pistola", "tiene un cuchillo", "estoy en peligro", "mi vida corre peligro", "secuestr*",
    ),
    "de": (
        "umbringen", "das leben nehmen", "mein leben beenden", "suizid*", "selbstmord*", "will sterben", "nicht mehr leben",
        "will nicht mehr … leben", "mir etwas antun", "mich verletzen", "bringt mich um", "schlagt mich", "schlaegt mich",
        "hausliche gewalt", "haeusliche gewalt", "vergewaltig*", "krankenwagen", "notarzt", "rufen sie die polizei", "es brennt",
        "haus brennt", "wohnung brennt", "riecht nach gas", "gasgeruch", "gasleck", "kohlenmonoxid", "atmet nicht",
        "keine luft mehr", "kann nicht atmen", "bewusstlos", "uberdosis", "ueberdosis", "herzinfarkt", "schlaganfall", "brustschmerzen",
        "ertrinkt", "hat eine waffe", "hat eine pistole", "hat ein messer", "in lebensgefahr", "bin in gefahr", "entfuhrt",
    ),
    "fr": (
        "suicid*", "me tuer", "mettre fin a mes jours", "en finir avec la vie", "veux mourir", "ne veux plus vivre", "me faire du mal",
        "va me tuer", "veut me tuer", "me frappe", "me bat", "violences conjugales", "viol", "violee", "une ambulance",
        "appelez la police", "appelez les pompiers", "il y a le feu", "au feu", "est en feu", "ca brule", "odeur de gaz", "sent le gaz",
        "fuite de gaz", "monoxyde de carbone", "ne respire plus", "ne respire pas", "peux plus respirer", "inconscient*", "overdose",
        "crise cardiaque", "infarctus", "douleur a la poitrine", "se noie", "a une arme", "a un couteau", "suis en danger", "enlevee",
    ),
    "vi": (
        "tu tu", "tu sat", "ket lieu doi minh", "muon chet", "khong muon song", "chan song", "tu lam hai", "doa giet", "se giet toi",
        "danh toi", "danh dap toi", "bao hanh", "bao luc gia dinh", "cuong hiep", "hiep dam", "xe cuu thuong", "cap cuu", "goi canh sat",
        "goi cong an", "dang chay nha", "chay nha", "hoa hoan", "mui gas", "mui ga", "ro ri gas", "ro ri ga", "khong tho duoc",
        "ngung tho", "bat tinh", "qua lieu", "dau tim", "dot quy", "chet duoi", "co sung", "co dao", "dang gap nguy hiem", "bat coc",
    ),
}  # fmt: skip
_NO_DISTRESS = (
    "suicide prevention … form", "call the police … non emergency", "carbon monoxide detector*", "carbon monoxide alarm*",
    "smoke detector*",
)  # fmt: skip
# what wants a person, as more than the bare word that flows reserve (``spoken``)
_PERSON: Mapping[str, tuple[str, ...]] = {
    "en": (
        "(?:talk|speak|chat|connect me|put me through|transfer me|hand me over)(?: \\w+){0,3} (?:agent|human|person|human being"
        "|representative|operator|somebody|someone|real person|advisor|supervisor|manager|staff|employee|clerk)",
        "(?:get me|want|need|give me|switch me to)(?: \\w+){0,2} (?:agent|human|person|human being|representative|operator|somebody"
        "|someone|supervisor)(?= (?:please|now|right|today|about|in|at|from|who|instead|on the|to (?:talk|speak|help|answer))|$)",
        "(?:agent|human|representative|operator|real person|live person|live agent)(?: now)? please",
        "real (?:person|human)", "live (?:agent|person|chat)", "not a (?:bot|robot|machine)", "call me back", "(?:let|can) me talk to",
        "(?:stop|enough)(?: \\w+){0,2} (?:bot|robot)",
    ),
    "es": (
        "(?:hablar|comunicar\\w*|pas\\w+|conect\\w+|quiero|necesito|atiend\\w+|chatear)(?: \\w+){0,4} (?:agente|persona|humano|humana"
        "|operador|operadora|representante|alguien|encargado|supervisor|asesor|asesora|empleado)",
        "(?:agente|humano|operador|operadora|representante|persona real) por favor", "persona (?:real|de verdad)",
        "no (?:quiero|con) (?:un |una )?(?:robot|maquina|bot)",
    ),
    "de": (
        "(?:sprechen|reden|verbinden|mochte|moechte|will|brauche|geben sie mir|durchstellen)(?: \\w+){0,4} (?:mensch\\w*|mitarbeiter\\w*"
        "|person|berater\\w*|jemand\\w*|sachbearbeiter\\w*|vorgesetzte\\w*)",
        "(?:mensch\\w*|mitarbeiter\\w*|person|berater\\w*|jemand\\w*|sachbearbeiter\\w*)(?: \\w+){0,3} (?:sprechen|reden|verbinden|verbunden)",
        "(?:mitarbeiter|mensch|berater) bitte", "echte\\w* (?:mensch\\w*|person)", "kein\\w* (?:bot|roboter|maschine)",
    ),
    "fr": (
        "(?:parler|discuter|passez|passer|mettre en relation|veux|voudrais|besoin)(?: \\w+){0,4} (?:agent|humain|personne|conseiller"
        "|conseillere|quelqu'un|operateur|operatrice|responsable|employe)",
        "(?:agent|humain|conseiller|conseillere|operateur) s'il (?:vous|te) plait", "(?:vraie|vrai) (?:personne|humain)",
        "pas (?:a |avec )?un (?:robot|bot|machine)",
    ),
    "vi": (
        "(?:gap|noi chuyen|noi|chuyen|can|muon|lien he)(?: \\w+){0,4} (?:nhan vien|nguoi that|tong dai vien|tu van vien|con nguoi)",
        "nguoi that", "khong (?:muon |phai )?(?:robot|may)",
    ),
}  # fmt: skip
_ABUSE: tuple[str, ...] = (
    "fuck*", "shit*", "bitch*", "asshole*", "bastard*", "cunt*", "idiot*", "moron*", "stupid", "dumb", "useless", "go to hell",
    "screw you", "piece of crap", "mierda", "puta", "puto", "pendejo*", "cabron*", "idiota*", "imbecil*", "estupid*", "gilipollas",
    "arschloch", "scheiss*", "scheisse", "wichser", "hurensohn", "idioten", "blod*", "dumm*", "merde", "connard*", "connasse",
    "putain", "salope", "encule*", "dit me", "du ma", "do ngu", "thang ngu",
)  # fmt: skip
_POSITIVE = frozenset("👍🙏❤👌✅🎉💯")


@lru_cache(maxsize=64)
def _looking_for(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for phrases in which * and … stand for more."""

    def one(phrase: str) -> str:
        words = plain(phrase.replace("*", "ZZSTAR").replace("…", " ZZGAP ")).split()
        made = ""
        for word in words:
            if word == "zzgap":
                made += r"(?: \S+){0,3}"
            else:
                made += (
                    (" " if made else "")
                    + re.escape(word.removesuffix("zzstar"))
                    + (r"\w*" if word.endswith("zzstar") else "")
                )
        return made

    every = sorted({one(phrase) for phrase in phrases if plain(phrase)}, key=len, reverse=True)
    return re.compile(r"(?<!\S)(?:" + "|".join(every) + r")(?!\S)") if every else re.compile(r"(?!)")


def in_distress(said: str, added: Iterable[str] = ()) -> bool:
    """May somebody be in danger, or do they say that they want to die? ``added``: words of the house."""
    words = plain(said)
    for harmless in (_looking_for(_NO_DISTRESS),):
        words = harmless.sub(" ", words)
    words = " ".join(words.split())
    if _looking_for(tuple(added)).search(words):
        return True
    return any(_looking_for(phrases).search(words) for phrases in _DISTRESS.values())


def wants_person(said: str) -> bool:
    """Is a person asked for, in whatever language?"""
    if reserved(said)[0] is Reserved.PERSON:
        return True
    words = plain(said)
    return any(
        re.search(rf"(?<!\S)(?:{pattern})(?!\S)", words) is not None
        for patterns in _PERSON.values()
        for pattern in patterns
    )


def abusive(said: str) -> bool:
    """Does it hold words of abuse?"""
    return _looking_for(_ABUSE).search(plain(said)) is not None


def without_abuse(said: str) -> str:
    """What else was said."""
    return " ".join(_looking_for(_ABUSE).sub(" ", plain(said)).split())


def wordless(said: str) -> bool:
    """Are there no letters and no digits in it?"""
    return not any(unicodedata.category(one)[0] in "LN" for one in said)


def pleased(said: str) -> bool:
    """Is it a picture that says thanks?"""
    return any(one in _POSITIVE for one in said)
