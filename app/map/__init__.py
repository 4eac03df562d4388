"""Pieces of the page Map."""
