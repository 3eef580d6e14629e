"""Sign-in, agents, their roles and scopes, agent states, and the audit trail."""
