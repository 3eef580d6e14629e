"""What a line says by itself, without what is filled in: for those who record it in place of the voice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from everyline.channel_contract import Line
from everyline.ground.words import _, mark, speaking

# by a name that stays when the words change; a test looks whether each is still said
PHRASES: Mapping[str, str] = {
    "recorded": mark("This call may be recorded."),
    "next": mark("You are next."),
    "comfort": mark("Thank you for waiting. Somebody will be with you as soon as possible."),
    "longer": mark("Please stay on the line. It takes a little longer than usual."),
    "offers a callback": mark("To keep your place and be called back, press 1."),
    "offers voicemail": mark("To leave a message, press 2."),
    "asks for a number": mark("Type the number with its area code, and then the pound key."),
    "callback number": mark("If that is right, press 1. For another number, press 2. To wait on, press 3."),
    "callback": mark("Thank you. You keep your place, and we call you when it is your turn. Goodbye."),
    "no number": mark("This is no number that we can call."),
    "nobody": mark("Nobody is free to take your call just now."),
    "speak": mark("Please speak after the tone. When you are done, press the pound key or hang up."),
    "message": mark("Thank you. We have your message and will get back to you. Goodbye."),
    "cut message": mark("I am sorry, the end of your message could not be recorded. We have what you said before."),
    "lost message": mark("I am sorry, your message could not be kept. Please call again in a few minutes."),
    "unkept message": mark("I am sorry, your message could not be kept."),
    "heard nothing": mark("We did not hear a message."),
    "no message": mark("We did not hear a message. Goodbye."),
    "goodbye": mark("Thank you for calling. Goodbye."),
    "trouble": mark("I am sorry, we cannot take your call just now. Please call again in a few minutes."),
    "stopped": mark("I am sorry, we have to end this call now. Please call again in a few minutes."),
    "no key": mark("I did not hear a key."),
    "other key": mark("That key means nothing here."),
    "nothing said": mark("I did not hear you."),
    "not understood": mark("I did not understand that."),
    "deaf": mark("I cannot listen just now. Please use the keys of your telephone."),
    "read back": mark("If that is right, press 1. To type it again, press 2."),
    "said back": mark("If that is right, say yes or press 1. Otherwise say no or press 2."),
    "no day": mark("That is no day."),
    "which keys": mark("Please press one of the keys on your telephone that I name."),
    "digits": mark("Please type the digits on your telephone, and then the pound key."),
    "person": mark("For a person, press 0."),
    "again": mark("To hear this again, press the star key."),
    "put through": mark("I am putting you through to a person."),
    "gives up": mark("I am sorry that this did not work. Goodbye."),
}


def of_line(line: Line) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The words of a line in each of its languages."""
    asked = line.settings
    offered = asked.offered_languages
    for language in dict.fromkeys((line.language, *(one for one, _key, _words in offered))):
        with speaking(language):
            found = {name: _(phrase) for name, phrase in PHRASES.items()}
            if language == line.language:
                greeting = asked.greeting or _("Thank you for calling %s.") % line.name
                found = {"greeting": greeting, "closed": asked.closed_words, **found}
        said = next((words for one, _key, words in offered if one == language), "")
        yield language, {"offered": said, **found}
