"""What an answer turned out to be, in the words of every page and figure."""

RIGHT, WRONG, NOT_LEARNT = "right", "wrong", "not learnt yet"
"""The last where no right answer could be given at that stage."""
