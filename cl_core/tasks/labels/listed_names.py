"""What a list of names means where the data name no numbers: the labels themselves, or names of 0, 1, 2, ...

A list that has a number of the data lists labels, unless that number stands at its own place: 0, 1 under names 1, 2
would show the data's 1 as 2 **(ours)**.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from cl_core.tasks.labels.label_cells import Label, is_whole, same_label


def lists_labels(listed: Sequence[str], labels: Collection[Label]) -> bool:
    """Whether names are labels themselves: all of the data's are listed, or one stands at another's place.

    >>> lists_labels(["5", "4", "3"], [3, 4, 5]), lists_labels(["1", "2"], [0, 1])
    (True, True)
    >>> lists_labels(["poor", "fine"], [0, 1]), lists_labels(["3", "5"], [0, 1])
    (False, False)
    """
    return all_listed(listed, labels) or bool(misplaced(listed, labels))


def all_listed(listed: Sequence[str], labels: Collection[Label]) -> bool:
    """Whether each label is a name of the list, however the number is spelt; not where there are no labels."""
    spelt = {same_label(name) for name in listed}
    return bool(labels) and all(same_label(label) in spelt for label in labels)


def misplaced(listed: Sequence[str], labels: Iterable[Label]) -> list[str]:
    """Names that are numbers of the data, and would name another number by their place in the list."""
    numbers = {same_label(label) for label in labels if is_whole(label)}
    return [
        name
        for position, name in enumerate(listed)
        if same_label(name) in numbers and same_label(name) != str(position)
    ]
