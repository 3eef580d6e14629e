"""What each process runs."""
