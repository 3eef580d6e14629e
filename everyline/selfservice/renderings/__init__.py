"""One turn of a flow, as each way of talking gives it: ``chat`` with buttons, ``text`` messages, a ``page`` with a form, ``voice``
with prompts and keys, ``typed`` in turns. All have one shape::

    rendered = chat.render(turn, Setting(language="en"))
    rendered.as_text()      # what somebody reads or hears, line by line: what trials and tests look at
    rendered.patience       # seconds until nothing said counts as an answer; None: there is no clock

A rendering decides how something is asked and never what: it has no way to move a run.
"""
