"""What stands around and in every page: frame, stage, actions, widgets, preferences."""
