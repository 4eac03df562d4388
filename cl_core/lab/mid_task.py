"""Where the training loop's checkpoints go: the store, one at a time per adapter in the making."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from cl_core.store import Artifact, Store, key


class MidTaskCheckpoints:
    """The newest checkpoint of one adapter, found by the key that the finished adapter will have.

    A run that is resumed computes the same key, so it finds its checkpoint without being told where it stopped.
    """

    def __init__(self, store: Store, adapter_key: str) -> None:
        self.store = store
        self.adapter_key = adapter_key

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The newest whole checkpoint; a damaged one is named and set aside by the store."""
        mine = self._all()
        if not mine:
            return None
        newest = max(mine, key=lambda artifact: int(artifact.inputs["step"]))
        return newest.tensors, newest.data

    def save(self, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
        """Writes this checkpoint, then removes the older ones."""
        older = self._all()
        inputs: dict[str, Any] = {"adapter": self.adapter_key, "step": int(data["step"])}
        own_key = key("checkpoint", inputs)
        self.store.write("checkpoint", own_key, inputs, tensors, data=data)
        self._remove(artifact for artifact in older if artifact.key != own_key)

    def clear(self) -> None:
        """Removes all checkpoints of this adapter: it is finished."""
        self._remove(self._all())

    def _all(self) -> list[Artifact]:
        """Few are ever there: one for each run that was interrupted, and this one's own."""
        found = (self.store.read("checkpoint", each) for each in self.store.keys("checkpoint"))
        return [each for each in found if each and each.inputs["adapter"] == self.adapter_key]

    def _remove(self, artifacts: Iterable[Artifact]) -> None:
        for artifact in artifacts:
            self.store.remove("checkpoint", artifact.key)
