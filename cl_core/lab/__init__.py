"""From a recipe and a stream to a run on disk."""
