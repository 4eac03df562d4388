"""Facts about the built-in domains: sizes, labels, overlap, repeatability, and readable sentences."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections import Counter

import pytest

from cl_core.errors import UserError
from cl_core.synthetic.domains import (
    ALL_DOMAIN_NAMES,
    DOMAIN_NAMES,
    SENTIMENT,
    URGENCY,
    DomainData,
    domain,
    domain_tasks,
)
from cl_core.synthetic.domains.domain_vocabularies import SHARED, all_domains
from cl_core.synthetic.domains.grammar import Frame, Writer, capitalised
from cl_core.synthetic.domains.vocabulary import Aspect, Vocabulary
from cl_core.synthetic.draw import Draw

SMALL = {"train": 40, "validation": 10, "test": 20}


def digest(domains: list[DomainData]) -> str:
    rows = [(d.name, d.label_names, sorted(d.rows.items())) for d in domains]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def texts(data: DomainData) -> list[str]:
    return [text for rows in data.rows.values() for text, _ in rows]


def words(data: DomainData) -> Counter[str]:
    return Counter(re.findall(r"[a-z]+", " ".join(texts(data)).lower()))


def test_six_domains_have_two_label_spaces_of_which_three_tasks_share_one() -> None:
    spaces = [data.label_names for data in domain_tasks(**SMALL)]
    assert [data.name for data in domain_tasks(**SMALL)] == list(DOMAIN_NAMES)
    assert Counter(spaces) == {SENTIMENT: 3, URGENCY: 3}


def test_default_sizes_are_400_100_and_200_rows() -> None:
    rows = domain("films").rows
    assert {split: len(split_rows) for split, split_rows in rows.items()} == {
        "train": 400,
        "validation": 100,
        "test": 200,
    }


def test_labels_are_balanced_in_every_split_before_noise() -> None:
    for data in domain_tasks(noise=0.0, **SMALL):
        for rows in data.rows.values():
            assert Counter(label for _, label in rows) == {0: len(rows) / 2, 1: len(rows) / 2}


@pytest.mark.parametrize("overlap", [0.0, 0.3, 1.0])
def test_no_text_occurs_twice_within_a_domain(overlap: float) -> None:
    for name in (*DOMAIN_NAMES, *ALL_DOMAIN_NAMES[-2:]):
        domain_texts = texts(domain(name, overlap=overlap))
        assert len(set(domain_texts)) == len(domain_texts) == 700


def test_the_bytes_are_those_written_down_here() -> None:
    # Guards the promise "same seed, same bytes" across machines and Python versions. A change of
    # the grammar on purpose changes this value, and every result that was measured with it.
    assert digest(domain_tasks(8, **SMALL)) == PUBLISHED_DIGEST


def test_a_fresh_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    code = (
        "import hashlib; from cl_core.synthetic.domains import domain; "
        "rows = domain('travel', train=40, validation=10, test=20).rows; "
        "print(hashlib.sha256(repr(sorted(rows.items())).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_gives_other_texts() -> None:
    first, second = (set(texts(domain("films", seed=seed, **SMALL))) for seed in (0, 1))
    assert len(first & second) < 5


def test_rows_of_a_domain_do_not_depend_on_how_many_domains_were_asked_for() -> None:
    assert domain_tasks(2, **SMALL) == domain_tasks(8, **SMALL)[:2]
    assert domain("films", **SMALL) == domain_tasks(2, **SMALL)[1]


def test_more_training_rows_leave_the_test_rows_as_they_are() -> None:
    small, large = (domain("films", train=train).rows for train in (10, 300))
    assert small["test"] == large["test"]
    assert small["validation"] == large["validation"]


def test_noise_flips_its_share_of_train_and_validation_and_none_of_test() -> None:
    clean, noisy = (domain("tickets", noise=noise).rows for noise in (0.0, 0.05))
    flipped = {}
    for split, rows in clean.items():
        assert [text for text, _ in rows] == [text for text, _ in noisy[split]]
        flipped[split] = sum(a[1] != b[1] for a, b in zip(rows, noisy[split], strict=True))
    assert flipped == {"train": 20, "validation": 5, "test": 0}


def test_the_six_share_no_vocabulary_of_their_own() -> None:
    domains = [all_domains()[name] for name in DOMAIN_NAMES]
    counts = Counter(word for spec in domains for word in set(spec.vocabulary.words()))
    assert [word for word, count in counts.items() if count > 1] == []


def test_no_two_of_the_200_domains_share_a_noun() -> None:
    nouns = Counter(a.noun for spec in all_domains().values() for a in spec.vocabulary.aspects)
    assert len(all_domains()) == 200
    assert [noun for noun, count in nouns.items() if count > 1] == []


def test_overlap_grows_from_disjoint_aspects_to_identical_vocabularies() -> None:
    shared = []
    for overlap in (0.0, 0.3, 0.6, 1.0):
        restaurants, films = (words(domain(n, overlap=overlap)) for n in ("restaurants", "films"))
        shared.append((restaurants & films).total() / restaurants.total())
    assert shared == sorted(shared)
    assert shared[0] < 0.65  # what is left are the words of the grammar: the, was, but, ...
    assert shared[-1] > 0.9


def test_at_overlap_zero_no_text_names_an_aspect_of_another_domain() -> None:
    for name in DOMAIN_NAMES:
        nouns = {a.noun for a in SHARED[all_domains()[name].style].aspects}
        all_text = " ".join(texts(domain(name, overlap=0.0)))
        assert not [noun for noun in nouns if f" {noun} " in all_text.lower()]


@pytest.mark.parametrize("pair", [("restaurants", "gyms"), ("headlines", "travel")])
def test_at_overlap_one_domains_of_a_label_space_have_the_same_words(pair: tuple[str, str]) -> None:
    first, second = (words(domain(name, overlap=1.0)) for name in pair)
    assert not [w for w, count in (first - second).items() if count > 20 and w not in second]
    nouns = {a.noun for name in pair for a in all_domains()[name].vocabulary.aspects}
    for name in pair:
        all_text = " ".join(texts(domain(name, overlap=1.0))).lower()
        assert not [noun for noun in nouns if f" {noun} " in all_text]


@pytest.mark.parametrize("name", [*DOMAIN_NAMES, *ALL_DOMAIN_NAMES[6::23]])
def test_sentences_are_whole_and_agree(name: str) -> None:
    for text in texts(domain(name, **SMALL)):
        assert "{" not in text, text
        assert "  " not in text, text
        assert text.strip() == text, text
        assert text.lstrip("'")[0].isupper() or text[0].isdigit(), text
        assert not re.search(r"\. [a-z]", text), text
        assert not re.search(r"\b(\w+) \1\b", text.lower()), text
        assert len(text.split()) <= 45, text
        if name != "headlines":
            assert text.endswith("."), text


def test_plurals_take_plural_verbs() -> None:
    waiters = Aspect("waiters", True, (("slow",), ("quick",)))
    said = ["is late", "has failed", "does not help", "refuses cards", "could do with paint"]
    agreed = [waiters.agreeing(phrase) for phrase in said]
    assert agreed == [
        "are late",
        "have failed",
        "do not help",
        "refuse cards",
        "could do with paint",
    ]
    assert (waiters.was, waiters.named) == ("were", "the waiters")


def test_a_denial_speaks_for_the_opposite_of_the_word_it_denies() -> None:
    soup = Vocabulary((Aspect("soup", False, (("bland",), ("rich",))),), {})
    for label, direct, denied in ((1, "rich", "bland"), (0, "bland", "rich")):
        written = {
            Writer(Draw(seed), soup, soup, 0.0).write(Frame("{with}."), label) for seed in range(60)
        }
        assert f"The soup was {direct}." in written
        assert f"The soup was far from {denied}." in written
        assert f"The soup was {denied}." not in written
        assert f"The soup was far from {direct}." not in written


def test_capitals_follow_full_stops_and_not_colons() -> None:
    assert capitalised("it cannot: doors open. we wait") == "It cannot: doors open. We wait"


def test_two_hundred_domains_can_be_made() -> None:
    tasks = domain_tasks(200, train=4, validation=2, test=2)
    assert [data.name for data in tasks] == list(ALL_DOMAIN_NAMES)
    assert Counter(data.label_names for data in tasks) == {SENTIMENT: 100, URGENCY: 100}
    assert len({data.title for data in tasks}) == 200


def test_arguments_out_of_range_are_named_all_at_once() -> None:
    with pytest.raises(UserError) as raised:
        domain_tasks(201, overlap=1.5, train=0, noise=0.7)
    message = str(raised.value)
    for part in ("n_domains is 201", "overlap is 1.5", "train is 0", "noise is 0.7"):
        assert part in message


def test_an_unknown_domain_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="Did you mean 'restaurants'"):
        domain("restaurant")


def test_importing_the_domains_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, cl_core.synthetic.domains; "
        "print([m for m in ('torch', 'numpy', 'datasets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


PUBLISHED_DIGEST = "80fc8066502ce313b972d914f85debefb580e753045f266cd3a874f70defebb7"
