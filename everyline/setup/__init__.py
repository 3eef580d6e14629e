"""Set-up: lines, hours, queues, agents and the house, for admins; lines and quarantine for supervisors too."""
