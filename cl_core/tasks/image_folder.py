"""Folders of pictures: one folder for each class, in one folder for each split or all in one."""

from __future__ import annotations

from pathlib import Path

from cl_core.tasks.raw import RawRows

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SPLIT_FOLDERS = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}


def read_image_folder(folder: Path, place: str) -> dict[str, RawRows]:
    """The rows of `folder/train/cat/1.jpg` or of `folder/cat/1.jpg`, in the order of their paths.

    Labels are the names of the folders. Files that are not pictures by their suffix, and hidden ones, are passed over.

    Args:
        folder: with one folder for each split, or for each class.
        place: what messages call it.

    Returns:
        Rows by split, "train" alone where there are no folders of splits; empty where there are no pictures.
    """
    splits = {
        split: found
        for split, names in SPLIT_FOLDERS.items()
        for found in [next((folder / name for name in names if (folder / name).is_dir()), None)]
        if found is not None
    }
    rows = {}
    for split, root in (splits or {"train": folder}).items():
        pictures = [
            file
            for kind in sorted(each for each in root.iterdir() if each.is_dir())
            for file in sorted(kind.rglob("*"))
            if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
        ]
        if pictures:
            columns = {
                "image": [str(file.relative_to(root)) for file in pictures],
                "label": [file.relative_to(root).parts[0] for file in pictures],
            }
            shown = place if root == folder else f"{place}/{root.name}"
            rows[split] = RawRows(columns, shown, range(len(pictures)), folder=root)
    return rows
