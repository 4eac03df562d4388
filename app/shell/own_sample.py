"""A sample of the visitor's own: a text, a picture, or a question with what it is about."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.data.answer_client import Sample

KINDS = {
    "text": "a text",
    "image": "a picture",
    "image-qa": "a question about a picture",
    "video-qa": "a question about a clip",
}
PICTURES = ["png", "jpg", "jpeg", "webp", "bmp", "gif"]
CLIPS = ["mp4", "webm", "gif", "png", "webp"]


@dataclass(frozen=True)
class Keys:
    """Names of the widgets, each page's own: a link to one page would else set those of another.

    Attributes:
        kind: what it is, where a run has samples of several kinds.
        text: of a text.
        question: of a question.
        file: of a picture or a clip; no link carries it.
    """

    kind: str
    text: str
    question: str
    file: str


def begun(keys: Keys) -> bool:
    """Whether the visitor has given something, or a link brings it.

    Args:
        keys: of the page.
    """
    return any(
        st.session_state.get(key) or st.query_params.get(key)
        for key in (keys.text, keys.question, keys.file)
    )


def draw(kinds: Sequence[str], keys: Keys) -> Sample | None:
    """Draws what must be given; None while it is not complete.

    Args:
        kinds: of KINDS, at least one; the first is asked for until another is chosen.
        keys: of the page.
    """
    kind = kinds[0]
    if len(kinds) > 1:
        kind = st.segmented_control(
            "It is", kinds, default=kind, required=True, key=keys.kind, bind="query-params"
        )
    sample: dict[str, str] = {}
    if kind == "text":
        typed = st.text_area(
            "A text of your own",
            key=keys.text,
            bind="query-params",
            height=90,
            max_chars=4000,
            placeholder="The soup was cold, but the waiter saved the evening.",
        )
        sample["text"] = typed or ""
    else:
        column = "video" if kind == "video-qa" else "image"
        file = st.file_uploader(
            "A clip" if column == "video" else "A picture",
            CLIPS if column == "video" else PICTURES,
            key=keys.file,
        )
        sample[column] = b64encode(file.getvalue()).decode() if file is not None else ""
    if kind.endswith("-qa"):
        asked = st.text_input(
            "What do you ask?", key=keys.question, bind="query-params", max_chars=500
        )
        sample["question"] = asked or ""
    return sample if all(value.strip() for value in sample.values()) else None
