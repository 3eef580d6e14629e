"""Real counterparts for tests, benchmarks and scripts, started on free loopback ports."""
