"""Pieces of the page Routing."""
