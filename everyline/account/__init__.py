"""Getting in and out, and what an agent decides for themselves: sign-in pages and the profile."""
