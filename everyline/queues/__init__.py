"""Queues, skills, hours, entries, offers, assignments, and the distributor."""
