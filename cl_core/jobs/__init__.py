"""Jobs: runs in the background, one after the other."""
