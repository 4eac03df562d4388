"""How reviews argue: sentence frames in which a human reads the verdict and a word count does not.

A frame is written relative to its label. ``{with}`` is a clause that speaks for the label,
``{against}`` one that speaks against it; each takes an aspect of its own, and ``with`` may be worded
as a denial ("far from bland"). A suffix changes the wording: ``.plain`` never denies, ``.would``
and ``.used`` set it in the future of the past and in the past ("would be bland", "used to be
bland"), ``.to_be`` and ``.call`` make it an object ("the soup to be bland", "the
soup bland"). ``{verdict}`` says what the writer did or will do about it.
"""

from __future__ import annotations

from cl_core.synthetic.domains.grammar import Frame

PLAIN = (
    Frame("{occasion}. {with}, and {with}."),
    Frame("{with}. What is more, {with}. {verdict}."),
    Frame("{occasion}. {with}, {with}, and {verdict}."),
)

CONTRAST = (
    Frame("{against}, but {with}, and that is what counted."),
    Frame("although {against}, {with}, and {with}."),
    Frame("{with}, even if {against}."),
    Frame("{with}. Never mind that {against}."),
    Frame("{against}. Still, {with}, and that weighed more."),
    Frame("{occasion}. True, {against}, yet none of that mattered, because {with}."),
    Frame("{with}, which weighs more with me than the fact that {against}."),
    Frame("{against}, but {with} and saved the day.", label=1),
    Frame("{against}, but {with} and spoilt it all.", label=0),
    Frame("{occasion}. That {against} is a small matter; that {with} is not."),
    Frame("{with}. I mention only in passing that {against}."),
)

HEARSAY = (
    Frame("everyone had told me that {against.would}. Not a word of it was true."),
    Frame("{person} claims that {against.plain}. I was there too and saw the opposite."),
    Frame("I had read that {against.would}. I could find no sign of it."),
    Frame("{person} says that {against.plain}, and I used to agree. This time {with}."),
    Frame("{occasion}. I had expected {against.to_be}, and that was not the case."),
    Frame("do not believe those who say that {against.plain}."),
    Frame("{person} found that {against.plain}. {person} and I found that {with}."),
)

COMPARISON = (
    Frame("{against.used}. Those days are over."),
    Frame("{elsewhere} {against.plain}; here it was quite the reverse."),
    Frame("last year {against.plain}, and {against.plain}. This year neither was the case."),
    Frame("{elsewhere} {against.plain}. Here {with}."),
    Frame("{occasion}. {elsewhere} {against.plain}, and I missed none of that here.", label=1),
    Frame("{occasion}. {elsewhere} {against.plain}, and I missed all of that here.", label=0),
)

HEDGE = (
    Frame("it would be generous to call {against.call}.", label=0),
    Frame("it would be unfair to call {against.call}.", label=1),
    Frame("only somebody in love could call {against.call}. {occasion}.", label=0),
    Frame("only a born grumbler could call {against.call}. {occasion}.", label=1),
    Frame("I wish I could write that {against.plain}.", label=0),
    Frame("I was all set to write that {against.plain}, until I noticed that {with}."),
    Frame("I would not say that {against.plain}, nor that {against.plain}."),
)

VERDICT = (
    Frame("{against}, and {against}. All the same, {verdict}."),
    Frame("{person} advised against it, as {against.plain}. {verdict}.", label=1),
    Frame("{person} advised me to go for it, as {against.plain}. {verdict}.", label=0),
    Frame("{occasion}. {verdict}, although {against}."),
    Frame("{with}, while {against}. {verdict}."),
)

SENTIMENT_FRAMES = (
    (0.26, PLAIN),
    (0.28, CONTRAST),
    (0.14, HEARSAY),
    (0.11, COMPARISON),
    (0.09, HEDGE),
    (0.12, VERDICT),
)
