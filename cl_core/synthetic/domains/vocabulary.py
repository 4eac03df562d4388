"""What a domain talks about: aspects with what can be said of them, and phrases by kind.

Vocabularies are written as lines, so that a linguist can read and extend them::

    soup
        1: fragrant; piping hot
        0: watery; lukewarm

is an aspect with what is said of it under label 1 (positive, urgent) and under label 0 (negative,
can wait). A ``+`` after the noun marks a plural.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_PLURAL_VERBS = {"is": "are", "has": "have", "was": "were", "does": "do", "goes": "go"}


@dataclass(frozen=True)
class Aspect:
    """A thing that clauses are about, with what is said of it under label 0 and label 1."""

    noun: str
    plural: bool
    predicates: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def named(self) -> str:
        """The noun with its article, or as it stands after a possessive."""
        return self.noun if self.noun.startswith(("my ", "our ")) else f"the {self.noun}"

    @property
    def was(self) -> str:
        """The past of "to be" that agrees with the noun."""
        return "were" if self.plural else "was"

    def agreeing(self, verb_phrase: str) -> str:
        """The phrase, written for one thing ("has failed"), with its first verb made to agree."""
        if not self.plural:
            return verb_phrase
        verb, _, rest = verb_phrase.partition(" ")
        verb = _PLURAL_VERBS.get(verb) or verb.removesuffix("s")
        return f"{verb} {rest}".rstrip()


@dataclass(frozen=True)
class Vocabulary:
    """The words of one domain, or the words that all domains of a label space share."""

    aspects: tuple[Aspect, ...]
    phrases: Mapping[str, tuple[str, ...]]

    def words(self) -> Iterator[str]:
        """Every noun, predicate and phrase."""
        for aspect in self.aspects:
            yield aspect.noun
            for predicates in aspect.predicates:
                yield from predicates
        for phrases in self.phrases.values():
            yield from phrases


def lines(text: str) -> tuple[str, ...]:
    """The non-empty lines of a block, stripped."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def noun_and_number(text: str) -> tuple[str, bool]:
    """Splits "waiters+" into the noun and whether it is a plural."""
    noun = text.strip()
    return noun.removesuffix("+"), noun.endswith("+")


def aspects(text: str) -> tuple[Aspect, ...]:
    """Reads aspects of three lines each: noun, ``1:`` and ``0:`` (see the top of this file)."""
    read = []
    rows = iter(lines(text))
    for noun, ones, zeros in zip(rows, rows, rows, strict=True):
        said = (_listed(zeros.removeprefix("0:")), _listed(ones.removeprefix("1:")))
        read.append(Aspect(*noun_and_number(noun), said))
    return tuple(read)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))
