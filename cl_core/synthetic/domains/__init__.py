"""Built-in text written for this project by a seeded generator: no downloads, no torch.

Six everyday domains carry the stream ``domains``; up to 200 can be asked for. Every domain has one
of two label spaces: three of the six ask whether the writer is content (`SENTIMENT`), the other
three whether somebody must act today (`URGENCY`). The same arguments give the same bytes on every
machine and every supported Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cl_core.errors import Faults, UserError, did_you_mean
from cl_core.synthetic.domains.domain_rows import generate
from cl_core.synthetic.domains.domain_vocabularies import all_domains

__all__ = [
    "ALL_DOMAIN_NAMES",
    "DOMAIN_NAMES",
    "MOST_DOMAINS",
    "SENTIMENT",
    "URGENCY",
    "DomainData",
    "domain",
    "domain_tasks",
]

SENTIMENT: tuple[str, ...] = ("negative", "positive")
URGENCY: tuple[str, ...] = ("can wait", "urgent")
ALL_DOMAIN_NAMES: tuple[str, ...] = tuple(all_domains())
DOMAIN_NAMES: tuple[str, ...] = ALL_DOMAIN_NAMES[:6]
MOST_DOMAINS = len(ALL_DOMAIN_NAMES)


@dataclass(frozen=True)
class DomainData:
    """One domain's rows: ``rows[split]`` is a list of (text, index into ``label_names``).

    Splits are ``train``, ``validation`` and ``test``; no text occurs twice within a domain.
    """

    name: str
    title: str
    label_names: tuple[str, ...]
    rows: Mapping[str, list[tuple[str, int]]]


def domain_tasks(
    n_domains: int = 6,
    overlap: float = 0.3,
    seed: int = 0,
    train: int = 400,
    validation: int = 100,
    test: int = 200,
    noise: float = 0.05,
) -> list[DomainData]:
    """The first ``n_domains`` domains, in the order of `ALL_DOMAIN_NAMES`.

    A domain's rows depend on its name and on the other arguments, not on ``n_domains``; its test
    rows do not depend on ``train``.

    Args:
        n_domains: 1 to 200. Beyond the six, domains are composed from themes.
        overlap: share of the words that come from a vocabulary common to all domains of a label
            space; 0 makes vocabularies disjoint, 1 identical.
        seed: another seed, other sentences from the same grammar.
        train: number of training samples per domain; labels are balanced in every split.
        validation: number of validation samples per domain.
        test: number of test samples per domain.
        noise: share of training and validation labels that are wrong; test labels are clean (ours).

    Raises:
        UserError: an argument is out of range; all such faults at once.
    """
    faults = _faults(overlap, {"train": train, "validation": validation, "test": test}, noise)
    if not 1 <= n_domains <= MOST_DOMAINS:
        faults.append(f"n_domains is {n_domains}; allowed is 1 to {MOST_DOMAINS}")
    if faults:
        raise Faults("domains", faults)
    names = ALL_DOMAIN_NAMES[:n_domains]
    return [domain(name, overlap, seed, train, validation, test, noise) for name in names]


def domain(
    name: str,
    overlap: float = 0.3,
    seed: int = 0,
    train: int = 400,
    validation: int = 100,
    test: int = 200,
    noise: float = 0.05,
) -> DomainData:
    """One domain by name; arguments and rows as in `domain_tasks`.

    Raises:
        UserError: there is no such domain, or an argument is out of range.
    """
    sizes = {"train": train, "validation": validation, "test": test}
    if faults := _faults(overlap, sizes, noise):
        raise Faults(f"domain {name!r}", faults)
    if name not in ALL_DOMAIN_NAMES:
        raise UserError(
            f"There is no built-in domain {name!r}.{did_you_mean(name, ALL_DOMAIN_NAMES)} "
            f"The six are {', '.join(DOMAIN_NAMES)}; ALL_DOMAIN_NAMES lists all {MOST_DOMAINS}."
        )
    chosen = all_domains()[name]
    label_names = SENTIMENT if chosen.style == "review" else URGENCY
    rows = generate(chosen, float(overlap), seed, sizes, noise)
    return DomainData(name, chosen.title, label_names, rows)


def _faults(overlap: float, sizes: Mapping[str, int], noise: float) -> list[str]:
    faults = [
        f"{split} is {rows}; allowed is 1 or more" for split, rows in sizes.items() if rows < 1
    ]
    if not 0 <= overlap <= 1:
        faults.append(f"overlap is {overlap}; allowed is 0 (disjoint) to 1 (identical)")
    if not 0 <= noise < 0.5:
        faults.append(f"noise is {noise}; allowed is 0 to below 0.5")
    return faults
