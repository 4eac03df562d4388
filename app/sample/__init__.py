"""Pieces of the page Sample."""
