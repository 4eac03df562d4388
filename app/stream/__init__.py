"""Pieces of the page Stream."""
