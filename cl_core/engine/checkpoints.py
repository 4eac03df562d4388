"""Where the training loop's checkpoints go: the store, one at a time per adapter in the making."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from cl_core.store import Store, key


class MidTaskCheckpoints:
    """The newest checkpoint of one adapter, found by the key that the finished adapter will have.

    A run that is resumed computes the same key, so it finds its checkpoint without being told where it stopped.
    """

    def __init__(self, store: Store, adapter_key: str) -> None:
        self.store = store
        self.adapter_key = adapter_key

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The newest whole checkpoint; the store names a damaged one and sets it aside."""
        for _, stored in sorted(self._steps().items(), reverse=True):
            artifact = self.store.read("checkpoint", stored)
            if artifact is not None:
                return artifact.tensors, artifact.data
        return None

    def save(self, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
        """Writes this checkpoint, then removes the older ones."""
        older = self._steps()
        step = int(data["step"])
        inputs: dict[str, Any] = {"adapter": self.adapter_key, "step": step}
        self.store.write("checkpoint", key("checkpoint", inputs), inputs, tensors, data=data)
        for earlier in older.keys() - {step}:
            self.store.remove("checkpoint", older[earlier])

    def clear(self) -> None:
        """Removes all checkpoints of this adapter: it is finished."""
        for stored in self._steps().values():
            self.store.remove("checkpoint", stored)

    def _steps(self) -> dict[int, str]:
        """Step -> key of this adapter's checkpoints."""
        steps = {}
        for stored in self.store.keys("checkpoint"):
            inputs: Any = self.store.inputs("checkpoint", stored)
            if inputs is not None and inputs.get("adapter") == self.adapter_key:
                steps[int(inputs["step"])] = stored
        return steps
