"""Where the training loop's checkpoints go: the store, one at a time per adapter in the making."""

from __future__ import annotations

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
        self._keys: set[str] = set()

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The newest whole checkpoint; a damaged one is named and set aside by the store."""
        found = [self.store.read("checkpoint", each) for each in self.store.keys("checkpoint")]
        mine = [each for each in found if each and each.inputs["adapter"] == self.adapter_key]
        self._keys = {artifact.key for artifact in mine}
        if not mine:
            return None
        newest: Artifact = max(mine, key=lambda artifact: artifact.inputs["step"])
        return newest.tensors, newest.data

    def save(self, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
        """Writes this checkpoint, then removes the older ones."""
        inputs: dict[str, Any] = {"adapter": self.adapter_key, "step": int(data["step"])}
        own_key = key("checkpoint", inputs)
        self.store.write("checkpoint", own_key, inputs, tensors, data=data)
        self._remove_except(own_key)
        self._keys = {own_key}

    def clear(self) -> None:
        """Removes all checkpoints of this adapter: it is finished."""
        self._remove_except(None)
        self._keys = set()

    def _remove_except(self, kept: str | None) -> None:
        for each in self._keys - {kept}:
            self.store.remove("checkpoint", each)
