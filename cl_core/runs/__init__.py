"""Runs on disk: their folders and workspace, configuration, events, scores, and what must be said beside them."""
