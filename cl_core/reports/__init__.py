"""The report of a run: its numbers as plain values, as text, as CSV and as LaTeX."""
