"""The only page that is served before the code: one form, without a script, a font or a picture."""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Adapter Lab</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif; color: #1b2430; background: #ffffff; margin: 0 auto; max-width: 26rem;
    padding: 12vh 1.5rem 2rem; }}
  label {{ display: block; margin: 1.5rem 0 .25rem; }}
  input {{ font: inherit; padding: .5rem .75rem; width: 100%; box-sizing: border-box; color: inherit;
    background: transparent; border: 1px solid #6b7685; border-radius: .5rem; }}
  button {{ font: inherit; margin-top: 1rem; padding: .5rem 1.25rem; color: #ffffff; background: #1f5fa8; border: 0;
    border-radius: .5rem; }}
  [role=alert] {{ color: #a3182a; }}
  @media (prefers-color-scheme: dark) {{
    body {{ color: #e8edf4; background: #11161d; }}
    button {{ color: #11161d; background: #7db8f2; }}
    [role=alert] {{ color: #ff9aa6; }}
  }}
</style>
</head>
<body>
<main>
<h1>Adapter Lab</h1>
{said}
{form}
</main>
</body>
</html>
"""
_FORM = """<form method="post" action="/join">
<input type="hidden" name="to" value="{to}">
<label for="code">Code</label>
<input id="code" name="code" type="password" autocomplete="off" autofocus required maxlength="200">
<p>Whoever shares this lab sees it in the terminal.</p>
<button type="submit">Look</button>
</form>"""


def join_page(to: str, wrong: str = "") -> bytes:
    """Asks for the code.

    Args:
        to: where the visitor wanted to go, a path of this server.
        wrong: what was wrong with the last answer.
    """
    said = f'<p role="alert">{escape(wrong)}</p>' if wrong else ""
    return _PAGE.format(said=said, form=_FORM.format(to=escape(to))).encode()


def notice(said: str) -> bytes:
    """A page that only says something."""
    return _PAGE.format(said=f"<p>{escape(said)}</p>", form="").encode()
