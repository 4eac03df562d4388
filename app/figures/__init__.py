"""Figures: functions from arrays to plotly, the only importer of plotly."""
