"""Calls as the house knows them: where each stands, who takes part, what is wanted of it, what was recorded."""
