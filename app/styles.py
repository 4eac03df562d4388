"""Style sheets of the pages, and the keys of containers that they shape."""

from __future__ import annotations

from app.theme import Look

STYLE = """
.stMainBlockContainer {padding-top: 2.5rem; max-width: 1500px}
h1 {font-size: 2rem !important; padding-bottom: .25rem !important}
h2, h3 {font-size: 1.35rem !important}
p code, li code {font-size: 1em !important}
.st-key-icons button [data-testid="stMarkdownContainer"] {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}
.st-key-frames {
  display: grid !important; grid-template-columns: repeat(auto-fill, minmax(max(3.1rem, (100% - 3.5rem) / 8), 1fr))}
.st-key-frames > * {width: auto !important; min-width: 0 !important}
@media (max-width: 1000px) {
  [data-testid="stHorizontalBlock"] {flex-wrap: wrap}
  [data-testid="stColumn"] {flex: 1 1 15rem !important; min-width: min(100%, 15rem) !important}
}
[data-testid="stCaptionContainer"], label[disabled] p {
  color: var(--quiet) !important; opacity: 1 !important}
[data-testid="stCode"] pre, [data-testid="stCode"] code {white-space: pre-wrap !important; overflow-wrap: anywhere}
button[kind="primary"]:not([disabled]), button[kind="primary"]:not([disabled]) * {color: var(--on-primary) !important}
"""
"""Less air above the title: figures should be seen without scrolling. Words in code as large as those around them. In a
narrow window columns stand below one another before they are too narrow to read. Buttons that show an icon alone keep
their words for those who do not see it. Eight frames of a clip share a line, wide or narrow. Quiet words and those on
buttons have a contrast of 4.5:1 and more. Code is wrapped: what scrolls sideways cannot be reached by the keyboard."""
ICONS = "icons"
"""Key of a container whose buttons show icons alone."""
FRAMES = "frames"
"""Key of a container of the frames of one clip."""
PRESENTED = """<style>
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"] {
  display: none}
</style>"""
"""The sidebar's widgets stay in force when presenting, unseen."""


def sheet(look: Look) -> str:
    """The style sheet of all pages in one theme, as HTML."""
    quiet, on_primary = ("#59626e", "#ffffff") if look.name == "light" else ("#a9b3c0", "#101418")
    own = f":root {{--quiet: {quiet}; --on-primary: {on_primary}}}"
    return f"<style>{own}\n{STYLE}</style>"
