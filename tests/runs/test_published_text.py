"""What is handed on tells nothing of the machine: names of backbones and sentences without its folders."""

from __future__ import annotations

import pytest

from cl_core.runs.published_text import backbone_title, backbone_titles, without_folders


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("minilm", "minilm"),
        ("/home/ann/models/bert-base/", "bert-base"),
        ("~/models/bert-base", "bert-base"),
        ("models/bert-base", "bert-base"),
        (r"C:\Users\Ann\bert-base", "bert-base"),
        ("hub:owner/name", "hub:owner/name"),
        ("open_clip:ViT-B-32/laion2b", "open_clip:ViT-B-32/laion2b"),
    ],
)
def test_a_checkpoint_is_called_by_its_folder_s_own_name(name: str, title: str) -> None:
    assert backbone_title(name) == title


def test_two_folders_of_one_name_are_told_apart() -> None:
    names = ["/home/ann/base", "minilm", "/home/bob/base", "/home/ann/base"]
    assert backbone_titles(names) == ["base", "minilm", "base (2)", "base"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("the first: /home/ann/my/x.png: not a picture", "the first: x.png: not a picture"),
        (
            "no file '/home/Ann Lee/x.csv' (looked for ~/d/x.csv)",
            "no file 'x.csv' (looked for x.csv)",
        ),
        (r"C:\Users\Ann\x.png: there is no such file", "x.png: there is no such file"),
        (
            "4 of 12 train/cat rows, see https://a.org/b/c",
            "4 of 12 train/cat rows, see https://a.org/b/c",
        ),
        ("10 rows of books/train.csv and 3/4 of it", "10 rows of books/train.csv and 3/4 of it"),
    ],
)
def test_sentences_keep_the_last_part_of_an_absolute_path(said: str, shown: str) -> None:
    assert without_folders(said) == shown
