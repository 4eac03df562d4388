"""Synthetic data: seeded generators of the built-in streams, no downloads."""
