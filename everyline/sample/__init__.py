"""The sample company and its generator."""
