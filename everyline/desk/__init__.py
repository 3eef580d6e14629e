"""What agents see."""
