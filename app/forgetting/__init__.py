"""Pieces of the page Forgetting & transfer."""
