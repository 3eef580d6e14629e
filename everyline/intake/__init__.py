"""The one door: what came in becomes a message of a case, or waits in quarantine with its reason."""
