"""Text from outside is text: what Streamlit would read as Markdown is ours, a number, or has gone through `plain`.

Read from the syntax trees of all pages. A new place is mended with `plain` or `as_label`; where every text is the lab's
own, it is listed here with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.base.escaped_text import as_label, plain

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    path
    for folder in ("app", "pages")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.parent.name not in ("figures", "workers", "report", "data")
]
READERS = {
    *("error", "warning", "info", "success", "markdown", "caption", "title", "header", "subheader"),
    *("toast", "expander", "popover", "metric", "button", "checkbox", "toggle", "radio", "tabs"),
    *("selectbox", "multiselect", "slider", "select_slider", "text_input", "text_area"),
    *(
        "number_input",
        "file_uploader",
        "hold",
        "download_button",
        "page_link",
        "link_button",
        "badge",
    ),
    *("segmented_control", "pills", "form_submit_button", "status", "spinner", "write", "progress"),
}
"""Methods of Streamlit that read Markdown: of their first argument, their label, body and help."""
OPTIONS = {"radio": 1, "pills": 1, "segmented_control": 1}
"""Where the options are Markdown, too."""
TEXTS = ("label", "body", "help", "text")
ESCAPED = {
    "plain",
    "as_label",
    "escape",
    "counted",
    "megabytes",
    "duration",
    "decimal",
    "len",
    "int",
}
"""Functions whose text is harmless, or ours."""
KEPT = {"capitalize", "join", "strip", "lower", "replace", "removesuffix", "partition"}
"""Methods that leave a harmless text harmless."""


class Readings(ast.NodeVisitor):
    """Collects the arguments that are read as Markdown, each with the functions around it."""

    def __init__(self) -> None:
        self.around: list[ast.AST] = []
        self.read: list[tuple[ast.expr, list[ast.AST]]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Goes into a function."""
        self.around.append(node)
        self.generic_visit(node)
        self.around.pop()

    def visit_Call(self, node: ast.Call) -> None:
        """Keeps what a reader of Markdown is given."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in READERS:
            return
        name, of = node.func.attr, ast.unparse(node.func.value)
        if name == "write" and of != "st":
            return
        first = node.args[:1] if name != "progress" else []  # a number
        given = [*first, *(word.value for word in node.keywords if word.arg in TEXTS)]
        if name in OPTIONS and not any(word.arg == "format_func" for word in node.keywords):
            given += node.args[1:2]
        self.read += [(argument, list(self.around)) for argument in given]


def harmless(node: ast.expr, around: list[ast.AST], tree: ast.AST) -> bool:
    """Whether a text is a constant, made of numbers and constants, or escaped."""

    def all_are(*parts: ast.expr) -> bool:
        return all(harmless(part, around, tree) for part in parts)

    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr(values=values):
            return all_are(*values)
        case ast.FormattedValue(value=value, format_spec=spec):
            return (spec is not None and ast.unparse(spec)[-2] in "dfge%,") or harmless(
                value, around, tree
            )
        case ast.Call(func=ast.Name(id=name)):
            return name in ESCAPED
        case ast.Call(func=ast.Attribute(attr=name, value=value), args=arguments):
            return name in ESCAPED or (name in KEPT and all_are(value, *arguments))
        case ast.IfExp(body=one, orelse=other):
            return all_are(one, other)
        case ast.BoolOp(values=values):
            return all_are(*values)
        case ast.BinOp(left=one, right=other):
            return all_are(one, other)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return all_are(*parts)
        case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part):
            return all_are(part)
        case ast.Starred(value=part):
            return all_are(part)
        case ast.Name(id=name):
            return name.isupper() or (bool(around) and _assigned(name, around, tree))
    return False


def _assigned(name: str, around: list[ast.AST], tree: ast.AST) -> bool:
    """Whether all that a name is given in the function around it is harmless; a parameter is not."""
    values = []
    for node in ast.walk(around[-1]):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                values.append(value)
            case ast.AugAssign(target=ast.Name(id=target), value=value) if target == name:
                values.append(value)
    return bool(values) and all(
        harmless(value, around, tree)
        for value in values
        if not (isinstance(value, ast.Name) and value.id == name)
    )


def unescaped() -> Iterator[str]:
    """file: expression, of each text that is read as Markdown and is neither ours nor escaped."""
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        readings = Readings()
        readings.visit(tree)
        for argument, around in readings.read:
            if not harmless(argument, around, tree):
                yield f"{path.relative_to(ROOT).as_posix()}: {ast.unparse(argument)}"


OURS: dict[str, str] = {
    "app/base/popovers.py: help": "a parameter: whoever calls it gives a constant",
    "app/base/popovers.py: label": "a parameter: whoever calls it gives a constant",
    "app/map/selection.py: LABELS[key]": "a table of constants",
    "app/sample/sample_choice.py: f'Give {wanted}, and see which adapters it gets.'": "words of KINDS",
    "app/sample/sample_choice.py: f'There are no {only} here; choose another filter.'": "one of ONLY",
    "app/sample/what_ifs.py: f'{_controls(why, reason)}: {as_label(reason)}'": "names of controls",
    "app/sample/what_ifs.py: _label(config, 'Temperature τ', 'temperature', run_temperature)": (
        "a constant with a number"
    ),
    "app/sample/what_ifs.py: label": "a constant with a number",
    "app/sample/what_ifs.py: options": "numbers",
    "app/settings/archive.py: f'Zip of {_named(chosen)}, {storage.megabytes(size)}'": "escaped by `_named`",
    "app/shell/frame.py: st.session_state['pages']['train']": "a page",
    "app/shell/frame.py: title": "the page's own, a constant there",
    "app/shell/frame.py: words": "a count of jobs",
    "app/shell/not_found.py: st.session_state['pages'][page]": "a page",
    "app/shell/own_sample.py: kinds": "words of a table",
    "app/shell/proposals.py: label": "a parameter: whoever calls it gives a constant",
    "app/shell/proposals.py: words": "a parameter: whoever calls it gives a constant",
    "app/shell/stream_problems.py: '\\n'.join(lines)": "each escaped by `_sentence`",
    "app/shell/widgets.py: about.what": "sentences of the pages; names in them are escaped there",
    "app/shell/widgets.py: f\"About, table, files: {key.replace('-', ' ')}\"": "a key of the pages",
    "app/shell/widgets.py: label": "names of metrics and constants",
    "app/shell/widgets.py: meaning": "sentences of the table of metrics",
    "app/shell/widgets.py: message": "a parameter: whoever calls it gives a constant",
    "app/shell/widgets.py: st.session_state['pages'][page]": "a page",
    "app/stream/new_task.py: f'At most {uploads.MOST_BYTES // 2 ** 20} MB; validation and test samples are cut off where there are none.'": "a number",  # noqa: E501
    "app/stream/new_task.py: f'{field.capitalize()} split'": "names of splits",
    "app/stream/stream_cards.py: ' · '.join(counts) or 'no rows could be read'": "counts of splits",
    "app/stream/stream_cards.py: f\"**{counted(task['class_count'], 'class')}**: {plain(classes)}{more}\"": "a count",
    "app/stream/stream_cards.py: words": "a count",
    "app/stream/stream_columns.py: f\"{counts} rows, {counted(checked['tasks'][0]['class_count'], 'class')}: ready.\"": "counts of splits",  # noqa: E501
    "app/stream/stream_columns.py: f'Column of the {field}'": "names of fields",
    "app/train/job_view.py: f'{plain(by_control(message))}\\n\\n**What to do:** {way_out(message)}'": "constants of a table",  # noqa: E501
    "app/train/job_view.py: words": "of STATES",
    "app/train/new_run.py: f\"**{counted(len(names), 'task')}**, {protocol_title(chosen.protocol)}: {plain(', '.join(names))}\"": "one of three protocols",  # noqa: E501
    "app/train/recipe_form.py: QUESTIONS[slot]": "a table of constants",
    "app/train/recipe_form.py: f'*{QUESTIONS[slot]}*'": "a table of constants",
    "app/train/recipe_form.py: f'{number} {slot.capitalize()}'": "names of slots",
    "app/train/settings_form.py: 'Frozen; adapters are trained in it. ' + '; '.join((f'{row.name}: {row.summary}' for row in KNOWN.values()))": "backbones of the catalogue",  # noqa: E501
    "app/train/settings_form.py: [name.capitalize() for name in shown]": "names of groups of settings",
    "app/shell/downloads.py: help": "of `hold`, whose callers are looked at",
    "app/shell/downloads.py: label": "of `hold`, whose callers are looked at",
    "app/train/settings_form.py: label": "names of settings",
    "app/train/train_jobs.py: st.session_state['pages']['forgetting']": "a page",
    "pages/forgetting.py: f'{bare_title(name)} is not defined: {plain(by_control(why[name]))}.'": "a metric's title",
    "pages/forgetting.py: label": "a constant",
    "pages/learn.py: f'**{lesson.idea}**'": "a lesson",
    "pages/learn.py: f'**{step.asks}**'": "a lesson",
    "pages/learn.py: numbers": "numbers of lessons",
    "pages/learn.py: pages[step.page]": "a page",
    "pages/learn.py: step.answer": "a lesson",
    "pages/learn.py: step.does": "a lesson",
    "pages/learn.py: step.says": "a lesson",
    "pages/map.py: f'{method} {words}, some seconds the first time.{meanwhile}'": "one of two methods",
    "pages/map.py: f'{method} was not computed for this run yet: it is when whoever shares this lab looks here.'": "one of two methods",  # noqa: E501
    "pages/map.py: f'{projection.method} of the router features'": "one of two methods",
    "pages/routing.py: title": "constants of the loop",
    "pages/settings.py: list(PAPERS)": "names of papers",
    "pages/settings.py: list(theme.TEXT_SIZES)": "names of sizes",
    "pages/start.py: label": "constants of CARDS",
    "pages/start.py: pages['forgetting']": "a page",
    "pages/start.py: pages['train']": "a page",
    "pages/start.py: pages[page]": "a page",
    "pages/start.py: state": "of STATES",
    "pages/start.py: text": "constants of CARDS",
    "pages/start.py: title": "constants of CARDS",
    "pages/train.py: views": "constants",
}
"""What is read as Markdown and is the lab's own, though the tree does not show it; why."""


def test_what_is_read_as_markdown_is_ours_or_escaped() -> None:
    unlisted = set(unescaped())
    assert sorted(unlisted - OURS.keys()) == []
    assert sorted(OURS.keys() - unlisted) == [], "these are no longer there"


@pytest.mark.parametrize(
    ("line", "is_harmless"),
    [
        ('st.error("ours")', True),
        ('st.error(f"{plain(name)} has {count:,}")', True),
        ('st.markdown("a " + name)', False),
        ('st.error(f"There is no {name}")', False),
        ('left.button(name, help="ours")', False),
        ('st.button("ours", help=why)', False),
        ('st.pills("ours", names)', False),
        ('st.pills("ours", names, format_func=as_label)', True),
        ("said = plain(name)\nst.error(said)", False),  # not within a function: it may be anybody's
    ],
)
def test_a_text_that_is_not_escaped_is_seen(line: str, is_harmless: bool) -> None:
    tree = ast.parse(line)
    readings = Readings()
    readings.visit(tree)
    assert readings.read
    assert all(harmless(one, around, tree) for one, around in readings.read) is is_harmless


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil.example)",
        "www.evil.example",
        "a@evil.example",
        ":material/delete:",
        "a -> b",
    ],
)
def test_what_no_backslash_escapes_is_cut_in_two(text: str) -> None:
    for escaped in (plain(text), as_label(text)):
        assert "\u2060" in escaped
        assert escaped.replace("\u2060", "").replace("\\", "") == text


@pytest.mark.parametrize("name", ["how-often", "my run 2", "run one, stage 5; τ = 1 (95 %)"])
def test_plain_words_stay_as_they_are(name: str) -> None:
    assert as_label(name) == name
