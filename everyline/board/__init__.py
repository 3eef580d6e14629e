"""What supervisors see and do while it happens: the live board."""
