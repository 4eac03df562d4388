"""Pieces of the page Learn."""
