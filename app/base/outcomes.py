"""Outcomes of predictions (right, wrong, not learnt yet), in the words of every page and figure."""

RIGHT, WRONG, NOT_LEARNT = "right", "wrong", "not learnt yet"
"""The last where no right prediction could be made at that stage."""
