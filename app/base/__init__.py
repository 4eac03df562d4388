"""What every part of the app stands on: colours, styles, text, links."""
