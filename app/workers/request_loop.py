"""A worker's loop over requests: lines of JSON in on standard input, replies out, until nobody asks any more."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from cl_core.errors import UserError

Handlers = Mapping[str, Callable[..., Any]]


def serve(handlers: Handlers) -> None:
    """Answers questions from standard input until it is closed, as it is when the server ends.

    Standard output is for answers alone: what libraries print goes to standard error.

    Args:
        handlers: by question, a function of its arguments; what it returns must be what JSON can say.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer_lines(sys.stdin.buffer, answers, handlers)


def answer_lines(questions: BinaryIO, answers: BinaryIO, handlers: Handlers) -> None:
    """One line of JSON for each line: {"answer": ...}, or {"error": message, "users": whether it is theirs}."""
    for line in questions:
        request = json.loads(line)
        try:
            reply = {"answer": handlers[request.pop("ask")](**request)}
        except UserError as error:
            reply = {"error": str(error), "users": True}
        except Exception as error:  # noqa: BLE001 - one question that fails must not end the others
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}", "users": False}
        answers.write(json.dumps(reply).encode() + b"\n")
        answers.flush()
