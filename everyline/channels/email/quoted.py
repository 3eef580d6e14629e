"""What is new in a text, and what the sender's program added below it. Nothing is lost: both are returned."""

from __future__ import annotations

import re

# "On 3 March Ann wrote:" in the languages of the large mail programs: first word, and verb at the end.
_LEAD = re.compile(
    r"\W{0,3}(?:(?:On|At|Am|Le|El|Il|Em|Op|W dniu|Dnia|Den|På|Dne|V|В|Ср|Вт|Пн|Чт|Пт|Сб|Вс|Mon|Tue|Wed|Thu|Fri"
    r"|Sat|Sun)\b"
    r"|\d{1,4}[./年-]|\d{1,2}\.?\s\w+|在|于|於)",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?:\b(?:wrote|writes|schrieb|a écrit|écrit|escribió|escribio|ha scritto|escreveu|schreef|пишет|писал"
    r"|писала|написал"
    r"|написала|написал\(а\)|пише|написав|napisał|napisała|napisał\(a\)|pisze|skrev|kirjoitti|napsal|napsala|napsal\(a\)"
    r"|napísal|yazdı|írta|a scris)\b[^:：]{0,120}|(?:写道|寫道|작성|のメール|書きました|さんは))\s*[:：]\s*$",
    re.IGNORECASE,
)
_SURE = re.compile(r"\d|@|<")
_SEPARATOR = re.compile(
    r"\s*>?\s*-{2,}\s*(?:Original[- ]Message|Original-Nachricht|Ursprüngliche Nachricht|Message d'origine"
    r"|Message original"
    r"|Mensaje original|Messaggio originale|Mensagem original|Oorspronkelijk bericht|Исходное сообщение"
    r"|Оригинальное сообщение|Oryginalna wiadomość|Ursprungligt meddelande|Oprindelig meddelelse|Alkuperäinen viesti"
    r"|Původní zpráva|原始邮件|元のメッセージ|Reply message)\s*-{2,}",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"\s*(?:-{2,}\s*(?:Forwarded message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado"
    r"|Messaggio inoltrato|Пересылаемое сообщение|Doorgestuurd bericht)|Begin forwarded message|"
    r"Anfang der weitergeleiteten (?:Nachricht|E-Mail)|Début du message (?:réexpédié|transféré))",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\s*\*?(?:From|Von|De|Da|Van|От|Від|Od|Från|Fra|Lähettäjä|Feladó|Gönderen|差出人|发件人|寄件者"
    r"|보낸 사람)\s?\*?\s?[:：]"
)
_OTHER_FIELD = re.compile(
    r"\s*\*?(?:Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|À|Objet|Enviado|Enviado el|Fecha|Para|Asunto"
    r"|Отправлено|Дата|Кому|Тема|Inviato|Data|A|Oggetto|Verzonden|Aan|Onderwerp|Wysłano|Do|DW|Temat|Skickat|Till|Ämne"
    r"|Sendt|Til|Emne|Lähetetty|Vastaanottaja|Aihe|Enviada|Assunto|送信日時|宛先|件名|发送时间|收件人|主题"
    r"|보낸 날짜|받는 사람|제목)"
    r"\s?\*?\s?[:：]"
)
_MARK = re.compile(r"\s*[_=-]{10,}\s*$")
_DEVICE = re.compile(
    r"\s*(?:Sent from my |Sent from Mail for|Sent via |Get Outlook for |Sent with |Von meinem .{1,30} gesendet"
    r"|Gesendet von |"
    r"Gesendet mit |Envoyé de(?:puis)? mon |Envoyé à partir |Enviado desde |Enviado do meu |Enviado de mi |Inviato da |"
    r"Verzonden vanaf |Отправлено с |Отправлено из |Надіслано з |Wysłane z |Skickat från |Sendt fra "
    r"|Lähetetty )[^\n]{1,60}$",
    re.IGNORECASE,
)
_FORWARDED_SUBJECT = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|i|doorst|vb|vs|пересл|転送|转发|轉寄)\s*[:：]", re.IGNORECASE)
_LONGEST_SIGNATURE = 12  # lines
_LOOKED_AT = 500  # characters of a line


def is_forward(subject: str) -> bool:
    """Does the subject say that somebody else's message is passed on? Then it is content, not history."""
    return _FORWARDED_SUBJECT.match(subject) is not None


def fold(text: str, *, forwarded: bool = False) -> tuple[str, str]:
    """What is new, and what is folded away: quoted history and the signature.

    Answers written between quoted lines stay where they are. When nothing would be new, everything is.
    """
    lines = text.split("\n")
    above, below = (lines, []) if forwarded else _divided(lines)
    above, signature = _signature(above)
    new = "\n".join(above).strip("\n")
    if not new.strip():
        return text.strip("\n"), ""
    return new.rstrip(), "\n".join(signature + below).strip("\n")


def _divided(lines: list[str]) -> tuple[list[str], list[str]]:
    start = _answer_below(lines)
    if start:
        return lines[start:], lines[:start]
    cut = _history(lines)
    above, tail = _quoted_tail(lines[:cut])
    return above, tail + lines[cut:]


def _history(lines: list[str]) -> int:
    """The line where history begins; the number of lines when there is none or answers stand within it."""
    for number, line in enumerate(lines):
        if ":" not in line and "：" not in line and "--" not in line:
            continue
        start = line[:_LOOKED_AT]
        if _FORWARD.match(start):
            return len(lines)
        if _SEPARATOR.match(start):
            return number
        if (
            _FROM.match(start)
            and sum(1 for below in lines[number + 1 : number + 7] if _OTHER_FIELD.match(below[:_LOOKED_AT])) >= 2
        ):
            return number - 1 if number and _MARK.match(lines[number - 1][:_LOOKED_AT]) else number
        first = _attribution(lines, number)
        if first is None:
            continue
        below = _next_written(lines, number + 1)
        if below == len(lines):
            return first
        if lines[below].lstrip().startswith((">", "|")):
            after = _after_quote(lines, below)
            return first if not _written(_signature(lines[after:])[0]) else len(lines)
        if _SURE.search(" ".join(lines[first : number + 1])):
            return first
    return len(lines)


def _attribution(lines: list[str], last: int) -> int | None:
    """The first line of "On … wrote:" when it ends at line ``last``."""
    line = lines[last]
    if (
        line.startswith(">")
        or not line.rstrip().endswith((":", "："))
        or len(line) > _LOOKED_AT
        or not _VERB.search(line[-200:])
    ):
        return None
    for first in range(last, max(-1, last - 3), -1):
        if not lines[first].strip():
            break
        if _LEAD.match(lines[first][:_LOOKED_AT]):
            return first
    return last if _SURE.search(line) or _quote_follows(lines, last) else None


def _quote_follows(lines: list[str], number: int) -> bool:
    below = _next_written(lines, number + 1)
    return below < len(lines) and lines[below].startswith(">")


def _next_written(lines: list[str], number: int) -> int:
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


def _after_quote(lines: list[str], number: int) -> int:
    while number < len(lines) and (not lines[number].strip() or lines[number].lstrip().startswith((">", "|"))):
        number += 1
    return number


def _written(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _quoted_tail(lines: list[str]) -> tuple[list[str], list[str]]:
    """Cut off quoted lines at the end, with the line that introduces them."""
    last = len(lines)
    while last and (not lines[last - 1].strip() or lines[last - 1].startswith(">")):
        last -= 1
    if not any(line.startswith(">") for line in lines[last:]):
        return lines, []
    first = _attribution(lines, last - 1) if last else None
    cut = last if first is None else first
    return lines[:cut], lines[cut:]


def _answer_below(lines: list[str]) -> int:
    """Where the answer begins when the text opens with one quoted block and all that is new stands below it; else 0."""
    first = _next_written(lines, 0)
    quote = first
    for last in range(first, min(first + 3, len(lines))):
        if not lines[first].startswith(">") and _attribution(lines, last) == first:
            quote = _next_written(lines, last + 1)
    if quote == len(lines) or not lines[quote].startswith(">"):
        return 0
    after = _after_quote(lines, quote)
    rest, _ = _signature(lines[after:])
    return after if _written(rest) and not any(line.startswith(">") for line in rest) else 0


def _signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """Cut off "-- " and what follows (RFC 3676 section 4.3), or what a device adds."""
    for number in range(len(lines) - 1, max(-1, len(lines) - _LONGEST_SIGNATURE - 1), -1):
        line = lines[number]
        if line in {"-- ", "--"} or (_DEVICE.match(line[:_LOOKED_AT]) and not _written(lines[number + 1 :])):
            return lines[:number], lines[number:]
    return lines, []
