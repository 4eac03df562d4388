"""One file per page; each reads as an outline of what the visitor sees."""
