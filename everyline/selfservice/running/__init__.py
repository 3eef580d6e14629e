"""Runs: somebody going through a flow. All of a run stands in its row, so that it goes on in another process, days later, over
another channel, and on the version that it began with.

``moving`` moves runs, many at once, in one transaction; what is to be done outside (``outside``) is done after it, and what came
of it is the next move. ``turns.Turns`` does both for who waits for an answer; ``runner.Runner`` does it for who does not.
"""
