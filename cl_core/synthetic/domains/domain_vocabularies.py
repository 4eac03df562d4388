"""Vocabularies of all 200 domains: six written by hand, the others composed from themes.

A composed domain has five aspects of its own theme; what is said of them is drawn, per theme, from a
bank that all composed domains of the label space draw from. So at overlap 0 the six share no word
of their vocabularies, and no two of the 200 share a noun.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cl_core.synthetic.domains.themes_requests import REQUEST_THEMES
from cl_core.synthetic.domains.themes_reviews import REVIEW_THEMES
from cl_core.synthetic.domains.vocabulary import Aspect, Vocabulary, lines, noun_and_number
from cl_core.synthetic.domains.words_headlines import HEADLINES, SHARED_HEADLINES
from cl_core.synthetic.domains.words_requests import SHARED_REQUESTS, TICKETS, TRAVEL
from cl_core.synthetic.domains.words_reviews import FILMS, PRODUCTS, RESTAURANTS, SHARED_REVIEWS
from cl_core.synthetic.draw import Draw

_SAID_OF_AN_ASPECT = 6

_REVIEW_BANK = (
    lines("""
        disappointing
        poor
        a nuisance
        below average
        unpleasant
        a sad sight
        a chore
        a letdown
        badly done
        dull
        mediocre
        unbearable
        second-rate
        a waste of money
        hopeless
        annoying
    """),
    lines("""
        excellent
        impressive
        a joy
        above average
        pleasant
        a delight
        first-rate
        wonderful
        carefully done
        memorable
        splendid
        a pleasant surprise
        worth every penny
        charming
        outstanding
        superb
    """),
)
_REVIEW_PHRASES = {
    "occasion": lines("""
        this was my first {thing}
        a friend had pointed me to this {thing}
        I chose this {thing} after a long search
        it was raining and this {thing} was the nearest
    """),
    "elsewhere": lines("""
        with the {thing} I knew before
        with the {thing} round the corner
        with my brother's favourite {thing}
    """),
    "verdict0": lines("""
        I would not choose this {thing} a second time
        I am looking for another {thing}
        I asked for my money back
        if this {thing} is the only choice, I will do without
    """),
    "verdict1": lines("""
        I would choose this {thing} a second time
        I have stopped looking for another {thing}
        I have told the whole street about this {thing}
        if I had to choose again, it would be this {thing}
    """),
}
_REQUEST_BANK = (
    lines("""
        looks a little tired
        could do with a new label
        is due for its yearly check
        is a shade too pale
        is an odd shade of green
        would look better in blue
        is slightly scratched
        has a crooked sticker
        is dusty at the back
        could be a touch brighter
        works slowly on cold mornings
        has an old logo
    """),
    lines("""
        has failed completely
        has stopped in the middle of a job
        is about to fall on somebody
        no longer works at all
        has hurt a colleague
        is hanging by a thread
        has had to be sealed off
        is damaged beyond use
        has fallen apart
        is of no use to anybody
        has been broken open
        is missing a vital part
    """),
)
_REQUEST_PHRASES = {
    "opener": lines("""
        hello, this is the {place}
        a message from the {place}
        good morning, the {place} here
    """),
    "now": lines("""
        the {place} opens in half an hour
        people at the {place} are in danger
        the whole {place} is at a standstill
        we have had to clear the {place}
    """),
    "later": lines("""
        the {place} is closed for the season
        nobody at the {place} will miss it
        the {place} has a spare
        the {place} is being rebuilt next year anyway
    """),
    "soon": lines("""
        opening time
        the end of the day
        lunch
    """),
    "someday": lines("""
        the yearly inspection
        the summer break
        the next budget
    """),
}


# By style; headlines have their own wording of what requests share.
SHARED = {"review": SHARED_REVIEWS, "request": SHARED_REQUESTS, "headline": SHARED_HEADLINES}


@dataclass(frozen=True)
class Domain:
    """What a domain is made of, before any sentence is drawn."""

    name: str
    title: str
    style: str  # "review", "request" or "headline"
    vocabulary: Vocabulary


@cache
def all_domains() -> dict[str, Domain]:
    """The 200 domains by name: the six, then review and request themes in turn."""
    domains = [
        Domain("restaurants", "Restaurant reviews", "review", RESTAURANTS),
        Domain("films", "Film reviews", "review", FILMS),
        Domain("tickets", "Support tickets", "request", TICKETS),
        Domain("headlines", "News headlines", "headline", HEADLINES),
        Domain("travel", "Travel requests", "request", TRAVEL),
        Domain("products", "Product reviews", "review", PRODUCTS),
    ]
    for review, request in zip(lines(REVIEW_THEMES), lines(REQUEST_THEMES), strict=True):
        domains += [_composed(review, "review"), _composed(request, "request")]
    return {domain.name: domain for domain in domains}


def _composed(theme: str, style: str) -> Domain:
    title, thing, nouns = (part.strip() for part in theme.split("|"))
    bank, phrases = (
        (_REVIEW_BANK, _REVIEW_PHRASES) if style == "review" else (_REQUEST_BANK, _REQUEST_PHRASES)
    )
    draw = Draw("theme", title)
    aspects = []
    for noun in nouns.split(","):
        said = [tuple(draw.shuffled(side)[:_SAID_OF_AN_ASPECT]) for side in bank]
        aspects.append(Aspect(*noun_and_number(noun), (said[0], said[1])))
    filled = {
        kind: tuple(phrase.format(thing=thing, place=thing) for phrase in values)
        for kind, values in phrases.items()
    }
    name = title.lower().replace("'", "").replace(" ", "-")
    if style == "review":
        title += ": reviews"
    return Domain(name, title[0].upper() + title[1:], style, Vocabulary(tuple(aspects), filled))
