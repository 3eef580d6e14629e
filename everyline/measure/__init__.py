"""What was: facts kept from events, ledgers of intervals made of them, figures read from the ledgers, and surveys."""
