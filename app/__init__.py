"""The lab in the browser: shows and steers what `cl_core` computes; does no work of its own."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""Where `app` and `pages` lie: processes that the app starts find them there."""
