"""Style sheets of the pages, and the keys of containers that they shape."""

from __future__ import annotations

from app.base.theme import Look

STYLE = """
.stMainBlockContainer {padding-top: 2.5rem; max-width: 1500px}
h1 {font-size: 2rem !important; padding-bottom: .25rem !important}
h2, h3 {font-size: 1.35rem !important}
p code, li code {font-size: 1em !important}
.st-key-icons button [data-testid="stMarkdownContainer"],
[class*="st-key-menu-of-"] button [data-testid="stMarkdownContainer"] {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}
.st-key-theme-changes {position: absolute}
.st-key-frames {
  display: grid !important; grid-template-columns: repeat(auto-fill, minmax(max(3.1rem, (100% - 3.5rem) / 8), 1fr))}
.st-key-frames > * {width: auto !important; min-width: 0 !important}
input[role="combobox"] {text-overflow: ellipsis}
[role="option"], [role="option"] * {white-space: normal !important; overflow-wrap: anywhere; height: auto !important}
[role="option"] {padding-block: .35rem !important}
.st-key-task button p {max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; --whole: hover}
.st-key-task button:is(:hover, :focus-visible, [aria-checked="true"]) {height: auto}
.st-key-task button:is(:hover, :focus-visible, [aria-checked="true"]) p {white-space: normal; text-align: left}
@media (max-width: 640px) {.st-key-task button p {max-width: 7.5rem}}
@media (max-width: 1200px) {
  [data-testid="stHorizontalBlock"] {flex-wrap: wrap}
  [data-testid="stColumn"] {flex: 1 1 15rem !important; min-width: min(100%, 15rem) !important}
  [data-testid="stColumn"]:has([class*="st-key-box-"]) {
    flex-basis: 26rem !important; min-width: min(100%, 26rem) !important}
}
[data-testid="stColumn"], [class*="st-key-box-"] {min-width: 0; max-width: 100%}
[data-testid="stCaptionContainer"], label[disabled] p {
  color: var(--quiet) !important; opacity: 1 !important}
[data-testid="stCode"] pre, [data-testid="stCode"] code {white-space: pre-wrap !important; overflow-wrap: anywhere}
[kind="primary"]:not([disabled]), [kind="primary"]:not([disabled]) *, [data-tag]:has(button),
[data-testid="stNumberInput"] button:enabled:is(:hover, :focus) {color: var(--on-primary) !important}
[data-testid="stCheckbox"][data-selected] label > div:first-of-type > div,
[data-testid="stRadioOption"][data-selected] > div > div:first-of-type > div {background: var(--on-primary)}
[data-testid="stCheckbox"][data-selected] label > div:first-of-type > svg {stroke: var(--on-primary)}
.katex-display {overflow: visible !important}
.katex-display > .katex {white-space: normal !important}
"""
"""Less air above the title: figures should be seen without scrolling. Words in code as large as those around them. In a
narrow window columns stand below one another before they are too narrow to read. Buttons that show an icon alone keep
their words for those who do not see it. Eight frames of a clip share a line, wide or narrow. Quiet words, and words and
marks on the primary colour (Streamlit's are white, the dark theme's primary colour is light), have a contrast of 4.5:1
and more. Code and formulas are wrapped: what scrolls cannot be reached by the keyboard. A long name of a task is
shortened until it is pointed at, one in a menu until the menu is open."""
BOXES = (280, 320, 350, 400, 480, 520, 560, 640, 720, 800, 880, 960, 1040)
"""Pixels of width that a box may have within, where figures need more than there is: it is scrolled. In a
window of 390 it has 358."""
ICONS = "icons"
"""Key of a container whose buttons show icons alone."""
MENU = "menu-of-"
"""Begins the key of what is under a figure, whose menu shows an icon alone."""
MORE = (
    "background: linear-gradient(to right, var(--paper) 30%, transparent) left / 3rem 100% local,"
    " linear-gradient(to left, var(--paper) 30%, transparent) right / 3rem 100% local,"
    " linear-gradient(to right, color-mix(in srgb, currentColor 38%, transparent), transparent) left / 1.1rem 100%"
    " scroll,"
    " linear-gradient(to left, color-mix(in srgb, currentColor 38%, transparent), transparent) right / 1.1rem 100%"
    " scroll; background-repeat: no-repeat"
)
"""Of a box that scrolls sideways: a shadow at either edge beyond which there is more, none where all is in sight. Paper
that moves with what is scrolled covers the shadows that do not; a box without it needs `--paper`."""
LIT = {"light": "#cfe3f7", "dark": "#35699c"}
"""Of the button of a figure that is chosen or pointed at."""
BUTTONS = '.js-plotly-plot .updatemenu-item-rect[style*="rgb(244, 250, 255)"] {fill: var(--lit) !important}'
"""Plotly lights it in one colour of its own, on which a dark theme's ink cannot be read; it needs `--lit`."""
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
    variables = (
        f":root {{--paper: {look.paper}; --quiet: {quiet}; --on-primary: {on_primary}; "
        f"--lit: {LIT[look.name]}}}"
    )
    return f"<style>{variables}\n{STYLE}{BUTTONS}\n{_boxes()}</style>"


def box(key: str, least: int) -> str:
    """The key of a container whose content is at least so many pixels wide, and scrolled where there is less room."""
    width = next((box_width for box_width in BOXES if box_width >= least), BOXES[-1])
    return f"box-{width}-{key}" if least > 0 else f"box-{key}"


def _boxes() -> str:
    return "\n".join(
        f'[class*="st-key-box-{width}-"] {{overflow-x: auto; {MORE}}} '
        f'[class*="st-key-box-{width}-"] > * {{min-width: {width}px}}'
        for width in BOXES
    )
