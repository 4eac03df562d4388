"""Small pieces of HTML for one sample; whatever came from data is escaped."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from app.base.styles import FRAMES
from app.base.theme import Look, task_colour
from app.data.answer_client import RoutedPrediction

RIGHT, WRONG = "✓ right", "✗ wrong"


def show_sample(shown: Mapping[str, Any], look: Look) -> None:
    """The sample itself: texts, then its picture or frames.

    Args:
        shown: from `answer_client.shown`.
        look: the theme.
    """
    texts = "".join(
        f'<div style="font-size:{look.size + 4}px;line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere">'
        f"{escape(str(text))}</div>"
        for text in shown["texts"].values()
    )
    st.html(
        f'<div style="max-height:9.5em;overflow-y:auto;border-left:4px solid {look.faint};padding:.1em 0 .1em .8em">'
        f"{texts}</div>"
        if texts
        else "<div></div>"
    )
    pictures = [b64decode(picture) for picture in shown["pictures"]]
    if shown["clip"]:
        with st.container(horizontal=True, gap="xsmall", key=FRAMES):
            for index, picture in enumerate(pictures):
                st.image(picture, caption=f"frame {index + 1}", width="stretch")
    else:
        for picture in pictures:
            st.image(picture, width=240)


def verdict(answer: str, label: str | None) -> str:
    """Right or wrong; empty where the truth is not known."""
    if label is None:
        return ""
    return RIGHT if answer == label else WRONG


def line(text: str, look: Look) -> None:
    """One sentence, which always has its place so that nothing below it jumps.

    Args:
        text: as it is.
        look: the theme.
    """
    st.html(f'<div style="font-size:{look.size + 1}px;min-height:1.5em">{escape(text)}</div>')


def facts(pairs: Sequence[tuple[str, str]], look: Look) -> None:
    """Named values side by side.

    Args:
        pairs: name and value.
        look: the theme.
    """
    cells = "".join(
        f'<div><div style="font-size:{look.size}px;opacity:.75">{escape(name)}</div>'
        f'<div style="font-size:{look.size + 4}px;font-weight:600">{escape(value)}</div></div>'
        for name, value in pairs
    )
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:.6em 2.2em">{cells}</div>')


def predictions_table(
    who: str, answer: RoutedPrediction, tasks: Sequence[str], label: str | None, look: Look
) -> None:
    """What the run or a what-if predicts and what each adapter predicts alone.

    Args:
        who: predicts by its routing: "this run", or the what-if in words.
        answer: to one sample.
        tasks: K numbered names.
        label: the truth, where it is known.
        look: the theme.
    """
    rows = [_answer_row(who, "", answer.prediction, label, look, strong=True)]
    rows += [
        _answer_row(
            name,
            f'<span style="display:inline-block;width:.75em;height:.75em;border-radius:50%;margin-right:.5em;'
            f'background:{task_colour(index)}"></span>',
            answer.alone[index],
            label,
            look,
            strong=False,
            faint=answer.weights[index] <= 0,
        )
        for index, name in enumerate(tasks[: len(answer.alone)])
    ]
    st.html(
        f'<table style="width:100%;border-collapse:collapse;font-size:{look.size + 1}px">'
        f'<thead><tr style="text-align:left;opacity:.75;font-size:{look.size}px">'
        '<th scope="col">model</th><th scope="col">prediction</th><th scope="col">correct?</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _answer_row(
    who: str,
    mark: str,
    says: str,
    label: str | None,
    look: Look,
    *,
    strong: bool,
    faint: bool = False,
) -> str:
    weight = "700" if strong else "400"
    cell = f"padding:.32em .4em .32em 0;border-top:1px solid {look.faint};font-weight:{weight}"
    return (
        f'<tr style="opacity:{0.7 if faint else 1}"><td style="{cell}">{mark}{escape(who)}</td>'
        f'<td style="{cell}">{escape(says)}</td><td style="{cell}">{escape(verdict(says, label))}</td></tr>'
    )
