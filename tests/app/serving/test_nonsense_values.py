"""What no browser says of a widget is taken for its default, on every page: by the server's own protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.session_state import WStates

from app.base.navigation import PAGES
from app.base.widget_values import refuse_nonsense
from tests.app.protocol import TRIGGERS, ProtocolVisitor
from tests.app.serving.sharing_server import SharingServer
from tests.app.serving.test_guests import VIEWS


def _list_of(field: str, *values: object) -> Callable[[str], WidgetState]:
    def say(name: str) -> WidgetState:
        state = WidgetState(id=name)
        getattr(state, field).data.extend(values)
        return state

    return say


def _value_of(field: str, value: object) -> Callable[[str], WidgetState]:
    return lambda name: WidgetState(id=name, **{field: value})  # type: ignore[arg-type]


NONSENSE = {
    "no number": _value_of("double_value", float("nan")),
    "an infinite number": _value_of("double_value", float("inf")),
    "an enormous whole number": _value_of("int_value", 2**62),
    "a text": _value_of("string_value", "[\x00{a: b: \ud7ff"),
    "half YAML": _value_of("string_value", "1e999, .nan, [, {, &a *a, !!python"),
    "yes": _value_of("bool_value", True),
    "JSON": _value_of("json_value", '{"a": [NaN]}'),
    "half JSON": _value_of("json_value", "{"),
    "texts": _list_of("string_array_value", "nobody", "", "\x00"),
    "no texts": _list_of("string_array_value"),
    "positions": _list_of("int_array_value", -1, 10**9),
    "nothing": lambda name: WidgetState(id=name),
}
FIELDS = ("number_input", "text_input", "text_area")
SHOWN = {"ws": "Demonstration", "run": "dam"}


@pytest.mark.parametrize("name", [row.name for row in PAGES])
def test_no_value_of_a_widget_ends_a_guests_page(server: SharingServer, name: str) -> None:
    ended, counted = [], 0
    for view in VIEWS.get(name, [SHOWN]):
        for words, nonsense in NONSENSE.items():
            with ProtocolVisitor(server.url, server.guest()) as guest:
                closed = guest.open(name, **view).openable
                opened = [WidgetState(id=part, bool_value=True) for part in closed]
                kinds = {part: kind for part, (kind, _) in guest.say(*opened).widgets.items()}
                said = {part for part, kind in kinds.items() if kind not in TRIGGERS}
                typed = {part for part in said if kinds[part] in FIELDS}
                for parts in (typed, said - set(closed)):  # a list says what there is to type
                    came = guest.say(*opened, *map(nonsense, parts))
                    ended += [(words, view, fault) for fault in came.exceptions]
                    counted += len(parts)
                after = guest.open(name, **view)
                ended += [(words, "afterwards", fault) for fault in after.exceptions]
                ended += [] if after.widgets else [(words, "afterwards", "nothing is drawn")]
    assert counted > 50
    assert not ended, "\n".join(map(str, ended))


@pytest.mark.parametrize(
    ("expected", "said", "taken"),
    [
        ("double_value", {"int_value": 7}, 7),
        ("double_value", {"double_value": 0.5}, 0.5),
        ("int_value", {"double_value": 7.0}, 7),
        ("double_value", {"string_value": "7"}, None),
        ("string_value", {"string_value": "seven"}, "seven"),
        ("string_value", {"int_value": 7}, None),
        ("bool_value", {"int_value": 1}, None),
    ],
)
def test_numbers_are_one_kind_and_all_else_is_its_own(
    expected: Any, said: dict[str, Any], taken: object
) -> None:
    refuse_nonsense()
    states = WStates()
    states.set_widget_metadata(
        WidgetMetadata("one", lambda value: value, lambda value: value, expected)
    )
    states.set_widget_from_proto(WidgetState(id="one", **said))
    assert states["one"] == taken
