"""How requests argue: must somebody act today, or can it wait?

``{severe}`` and ``{mild}`` are clauses about an aspect each (``.same``: about the one before),
``{now}`` and ``{later}`` say why there is (no) hurry, ``{soon}`` and ``{someday}`` name a time. The
label is what the writer needs in the end, not how alarming the words sound.
"""

from __future__ import annotations

from cl_core.synthetic.domains.grammar import Frame

_URGENT, _WAIT = 1, 0

PLAIN = (
    Frame("{opener}. {severe}, and {now}.", label=_URGENT),
    Frame("{opener}. {mild}, and {later}.", label=_WAIT),
    Frame("{severe}. What is more, {severe}.", label=_URGENT),
    Frame("{mild}. What is more, {mild}.", label=_WAIT),
)

CONTRAST = (
    Frame("{opener}. It may seem a small thing that {mild}, but {now}.", label=_URGENT),
    Frame("{opener}. It may sound alarming that {severe}, but {later}.", label=_WAIT),
    Frame("{mild}. That would not matter, were it not for one thing: {now}.", label=_URGENT),
    Frame("{severe}. That would matter, were it not for one thing: {later}.", label=_WAIT),
    Frame("{severe}, even if all that you can see is that {mild.same}.", label=_URGENT),
    Frame("{mild}, no more, even if {person} is telling you that {severe.same}.", label=_WAIT),
    Frame("{mild}, and {later}. None of that counts any more, as {severe}.", label=_URGENT),
    Frame("{severe}, and {now}, but we have found a way round it until {someday}.", label=_WAIT),
)

HEARSAY = (
    Frame("{person} wrote to you that this could wait until {someday}. It cannot: {now}.", label=1),
    Frame("{person} wrote to you that this could not wait until {soon}. It can: {later}.", label=0),
    Frame("{person} will tell you that {later}. Do not believe it: {severe}.", label=_URGENT),
    Frame("{person} will tell you that {now}. Do not believe it: {mild}.", label=_WAIT),
    Frame("{person} believes that {mild} and that {later}. In truth {severe.same}.", label=_URGENT),
    Frame("{person} believes that {severe} and that {now}. In truth {mild.same}.", label=_WAIT),
    Frame("{opener}. I wrote that {mild} and that {later}. I was mistaken: {now}.", label=1),
    Frame("{opener}. I wrote that {severe} and that {now}. I was mistaken: {later}.", label=0),
)

NEGATION = (
    Frame("do not go by the note that {later}. {severe}.", label=_URGENT),
    Frame("do not go by the note that {now}. {mild}.", label=_WAIT),
    Frame("please do not leave this until {someday}: {severe}.", label=_URGENT),
    Frame("please do not come before {soon} just for this: {mild}.", label=_WAIT),
    Frame("we cannot manage until {someday}: {severe}.", label=_URGENT),
    Frame("we can manage long past {soon}, although {severe}.", label=_WAIT),
    Frame("{mild}, but do not put us off until {someday}: {now}.", label=_URGENT),
    Frame("{severe}, but do not rush to be here by {soon}: {later}.", label=_WAIT),
    Frame("{mild} and {later}: so it says on the form, and it is wrong. {severe}.", label=1),
    Frame("{severe} and {now}: so it says on the form, and it is wrong. {mild}.", label=0),
    Frame(
        "{opener}. It is not true that {later}. {mild}, yes, but there is more: {severe.same}.",
        label=1,
    ),
    Frame(
        "{opener}. It is not true that {severe}. All there is to it is that {mild.same}.", label=0
    ),
)

OTHER_MATTER = (
    Frame("that {mild} can wait until {someday}. That {severe} cannot.", label=_URGENT),
    Frame(
        "that {severe} was settled before {soon}. What is left is that {mild.same}.", label=_WAIT
    ),
    Frame("{opener}. Your repair did not hold: {severe} again.", label=_URGENT),
    Frame(
        "{opener}. Your repair has held since I wrote that {severe}. Now {mild.same}.", label=_WAIT
    ),
    Frame("forget that {mild}. {severe}, and it happened just now.", label=_URGENT),
    Frame(
        "forget that {severe}; {person} has dealt with it. {mild}, and that is all.", label=_WAIT
    ),
    Frame("last week I wrote that {mild} and that {later}. Today {severe.same}.", label=_URGENT),
    Frame("last week I wrote that {severe} and that {now}. Today {mild.same}.", label=_WAIT),
)

REQUEST_FRAMES = (
    (0.10, PLAIN),
    (0.26, CONTRAST),
    (0.22, HEARSAY),
    (0.22, NEGATION),
    (0.20, OTHER_MATTER),
)
