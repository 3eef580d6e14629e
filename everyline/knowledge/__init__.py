"""Where articles are written: pages for agents."""
