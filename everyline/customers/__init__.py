"""The one customer record: contact points, merges, duplicates."""
