"""Cases with their interactions, messages, notes, files and drafts."""
