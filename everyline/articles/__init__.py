"""Articles: the organisation's answers, in the wording of every channel, and what was asked and not found."""
