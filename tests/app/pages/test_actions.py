"""A button acts on nothing but what the screen says: what `app/shell/actions.py` rules, in the syntax."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import ROOT

RULE = "app/shell/actions.py"
HANDLERS = {"on_click", "on_change", "on_select", "on_submit"}
BUTTONS = {"button", "form_submit_button"}
BUTTONS_OF_PAGES = {"actions.pressed", "st.button", "st.form_submit_button"}


def broken(source: str, page: bool = False) -> list[str]:
    """Where a module goes round the rule.

    A handler is a word that Streamlit knows ("rerun", "ignore"), or the bare name of a function that takes nothing and
    stands at the top of a module of `app`: without arguments bound to it, and without a page's or another function's
    variables around it, there is nothing of the drawing before that it could act on. Another module's is looked up
    there: `functools.partial` and parameters with defaults hide arguments behind a name too. A button without one asks
    `actions.pressed`; none is disabled because of a field.

    Args:
        source: of the module.
        page: whether it is carried out anew for each drawing, so that its functions hold that drawing's variables.
    """
    tree = ast.parse(source)
    top = set() if page else handlers(tree)
    parts = {
        name.asname or name.name: (f"{node.module}.{name.name}", node.module, name.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "app"
        for name in node.names
    }

    def sound(handler: ast.expr) -> bool:
        if isinstance(handler, ast.Constant):
            return isinstance(handler.value, str)
        if isinstance(handler, ast.Name):
            _, module, name = parts.get(handler.id, ("", "", ""))
            return handler.id in top or name in elsewhere(module)
        if isinstance(handler, ast.Attribute) and isinstance(handler.value, ast.Name):
            return handler.attr in elsewhere(parts.get(handler.value.id, ("", "", ""))[0])
        return False

    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = {word.arg: word.value for word in node.keywords if word.arg}
            faults += [
                f"{node.lineno}: {name} is given {ast.unparse(given[name])}"
                for name in HANDLERS & given.keys()
                if not sound(given[name])
            ]
            if HANDLERS & given.keys() and {"args", "kwargs"} & given.keys():
                faults.append(f"{node.lineno}: a handler has arguments bound to it")
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if called in BUTTONS:
                if "on_click" not in given or len(node.args) > 2:
                    faults.append(f"{node.lineno}: {called} in place of actions.pressed")
                if "disabled" in given:
                    faults.append(f"{node.lineno}: {called} is disabled")
            if called == "pressed" and "disabled" in given:
                faults.append(f"{node.lineno}: a button is disabled")
        elif isinstance(node, ast.Dict):
            faults += [
                f"{key.lineno}: {key.value} in a mapping is given {ast.unparse(value)}"
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and key.value in HANDLERS and not sound(value)
            ]
        elif isinstance(node, ast.ImportFrom) and node.module == "streamlit":
            faults.append(f"{node.lineno}: parts of streamlit under other names")
    return faults


def handlers(tree: ast.Module) -> set[str]:
    """Functions at the top of a module that take nothing; a name that is given anew there may be anything."""
    given = [
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not _parameters(node)
    } - set(given)


@functools.cache
def elsewhere(module: str) -> set[str]:
    """Those of a module of the app, by its dotted name; none where it is no such module."""
    file = ROOT / f"{module.replace('.', '/')}.py"
    if not module.startswith("app.") or not file.is_file():
        return set()
    return handlers(ast.parse(file.read_text(encoding="utf-8")))


def _parameters(function: ast.FunctionDef) -> list[ast.arg]:
    said = function.args
    every = [*said.posonlyargs, *said.args, *said.kwonlyargs, said.vararg, said.kwarg]
    return [parameter for parameter in every if parameter is not None]


def modules() -> Iterator[Path]:
    for folder in ("app", "pages"):
        yield from (ROOT / folder).rglob("*.py")


def test_no_handler_is_given_what_a_field_said_when_the_page_was_drawn_last() -> None:
    wrong = {
        f"{file.relative_to(ROOT)}:{fault}"
        for file in modules()
        if file != ROOT / RULE
        for fault in broken(file.read_text(encoding="utf-8"), "pages" in file.parts)
        if not (file.name == "learn.py" and fault.endswith("button is disabled"))  # see GREY
    }
    assert not wrong, "\n".join(sorted(wrong))


GREY = {
    "app/sample/sample_choice.py": "the list of samples",
    "app/sample/pinned.py": "what is pinned",
    "app/stream/stream_cards.py": "the stream's file",
    "pages/learn.py": "the step in the address",
}
"""Modules with a button that may be grey, and what alone says so: never what is being typed."""


def test_buttons_are_grey_in_these_places_alone() -> None:
    idle_in = set()
    for file in modules():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            button = isinstance(node, ast.Call) and ast.unparse(node.func) in BUTTONS_OF_PAGES
            if button and {word.arg for word in node.keywords} & {"idle", "disabled"}:
                idle_in.add(file.relative_to(ROOT).as_posix())
    assert idle_in == set(GREY)


@pytest.mark.parametrize(
    "evil",
    [
        "name = st.text_input('Name')\nst.button('Go', on_click=go, args=(name,))",
        "name = st.text_input('Name')\nst.button('Go', on_click=go, kwargs={'name': f'{name}!'})",
        "st.button('Go', on_click=lambda: go(st.text_input('Name')))",
        "st.button('Go', on_click=functools.partial(go, asked))",
        "st.button('Go', on_click=job.stop)",
        "st.button('Go', on_click=st.session_state.update, args=({'runs': runs},))",
        "st.button('Go', 'key', None, go, (name,))",
        "st.button('Go', **{'on_click': lambda: go(name)})",
        "def draw():\n    name = field()\n    def go():\n        save(name)\n    st.button('Go', on_click=go)",
        "def go(name='x'):\n    save(name)\nst.button('Go', on_click=go)",
        "def go():\n    pass\ngo = functools.partial(save, asked)\nst.button('Go', on_click=go)",
        "from app.shell.preferences import set_offline\nst.toggle('Off', on_change=set_offline)",
        "from app import preferences\nst.toggle('Off', on_change=preferences.set_offline)",
        "from app.shell.preferences import OFFLINE_VARIABLE as go\nst.toggle('Off', on_change=go)",
        "from app.nowhere import go\nst.toggle('Off', on_change=go)",
        "if st.button('Go'):\n    pass",
        "st.button('Go', on_click=forth, disabled=not name)\ndef forth():\n    pass",
        "actions.pressed('Go', 'go', disabled=not name)",
        "from streamlit import button",
    ],
)
def test_every_way_around_the_rule_is_found(evil: str) -> None:
    assert broken(evil)


def test_a_handler_that_reads_the_session_itself_is_sound() -> None:
    good = "def go():\n    save(st.session_state['name'])\nst.button('Go', on_click=go)"
    assert not broken(good)
    assert broken(good, page=True)


def form() -> None:
    import streamlit as st

    from app.shell import actions

    actions.arrive()
    which = st.selectbox("Which", ["one", "two"], key="which")
    name = st.text_input("Name", key="name")
    if actions.pressed("Keep", "keep", of=which):
        if not name:
            actions.refuse("keep", "It has no name.")
        st.session_state["kept"] = (which, name)
        actions.then(name="")
    actions.settle()


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_function(form).run()


def test_what_was_typed_last_is_what_is_done(page: AppTest) -> None:
    page.text_input(key="name").set_value("typed")
    page.button(key="keep").click()
    page.run()
    assert page.session_state["kept"] == ("one", "typed")
    assert page.text_input(key="name").value == ""


def test_a_refusal_stands_beneath_its_button_until_the_next_click(page: AppTest) -> None:
    page.button(key="keep").click()
    page.run()
    assert [element.value for element in page.error] == ["It has no name\\."]
    page.text_input(key="name").set_value("typed")
    page.run()
    assert page.error
    page.button(key="keep").click()
    page.run()
    assert not page.error
    assert page.session_state["kept"] == ("one", "typed")


def test_a_click_on_what_has_become_anothers_button_does_nothing_and_says_so(page: AppTest) -> None:
    page.selectbox(key="which").set_value("two")
    page.text_input(key="name").set_value("typed")
    page.button(key="keep").click()
    page.run()
    assert "kept" not in page.session_state
    assert "nothing was done" in page.error[0].value
