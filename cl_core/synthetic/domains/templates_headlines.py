"""How headlines argue: must the reader act today, or is it something to read about?

The slots are those of `frames_requests`; clauses come without articles.
"""

from __future__ import annotations

from cl_core.synthetic.domains.grammar import Frame

_URGENT, _WAIT = 1, 0

PLAIN = (
    Frame("{severe}: {now}", label=_URGENT),
    Frame("{mild}: {later}", label=_WAIT),
    Frame("{opener}: {severe}, {severe}", label=_URGENT),
    Frame("{opener}: {mild}, {mild}", label=_WAIT),
)

CONTRAST = (
    Frame("{mild}, but {now}", label=_URGENT),
    Frame("{severe}, but {later}", label=_WAIT),
    Frame("{opener}: {later}, or so it was planned; now {severe}", label=_URGENT),
    Frame("{opener}: {now}, or so it was feared; now {mild}", label=_WAIT),
    Frame("first {mild}, now {severe.same}", label=_URGENT),
    Frame("first {severe}, now {mild.same}", label=_WAIT),
    Frame("what looked like a day on which {mild} ends with alarm: {now}", label=_URGENT),
    Frame("what looked like a day on which {severe} ends with all-clear: {later}", label=_WAIT),
)

HEARSAY = (
    Frame("report that {severe} is true, says {official}: {now}", label=_URGENT),
    Frame("report that {severe} is false, says {official}: {later}", label=_WAIT),
    Frame("no all-clear before {soon}, says {official}, as {severe}", label=_URGENT),
    Frame("no alarm before {soon} or after it, says {official}, as {mild}", label=_WAIT),
    Frame("'this can wait until {someday}', said {official}; then {severe}", label=_URGENT),
    Frame("'this cannot wait until {soon}', said {official}; then {mild}", label=_WAIT),
    Frame("{official} was wrong to deny it: {severe}", label=_URGENT),
    Frame("{official} was wrong to claim it: no sign that {severe}", label=_WAIT),
)

STORY = (
    Frame("this is no drill: {severe}, {now}", label=_URGENT),
    Frame("only a drill: {severe}, {now}", label=_WAIT),
    Frame("not a scene from a film: {severe}", label=_URGENT),
    Frame("new film imagines night on which {severe}", label=_WAIT),
    Frame("a year after it last happened, {severe} again", label=_URGENT),
    Frame("a year ago today {severe}: {opener} looks back", label=_WAIT),
    Frame("no time for jubilee: {mild}, yet {severe.same}", label=_URGENT),
    Frame("time for jubilee: {mild}, long after the day when {severe.same}", label=_WAIT),
)

NEGATION = (
    Frame("plan to wait until {someday} dropped: {now}", label=_URGENT),
    Frame("order to act by {soon} dropped: {later}", label=_WAIT),
    Frame("all-clear withdrawn: {severe} after all", label=_URGENT),
    Frame("alarm withdrawn: {severe} in error message only", label=_WAIT),
    Frame("{official} will not wait for {someday}: {now}", label=_URGENT),
    Frame("{official} will not hurry before {soon}: {later}", label=_WAIT),
)

HEADLINE_FRAMES = (
    (0.12, PLAIN),
    (0.28, CONTRAST),
    (0.22, HEARSAY),
    (0.22, STORY),
    (0.16, NEGATION),
)
