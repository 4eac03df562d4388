"""What a run has learnt so far: the keys of its artifacts, by task and by stage."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ArtifactKeys:
    """Keys in the store; tasks and stages count from 0: positions of `adapters`, keys of the others.

    Attributes:
        adapters: of each task, or, with a shared adapter, as it was after each stage.
        improvised: I2I's phase 1 of each task from the second on.
        distilled: I2I's phase 2.
        fusions: AdapterFusion of each task from the second on; the first has one adapter alone.
        networks: L2R's routers by stage.
        fishers: EWC's sums over the tasks so far, by stage.
    """

    adapters: list[str] = field(default_factory=list)
    improvised: dict[int, str] = field(default_factory=dict)
    distilled: dict[int, str] = field(default_factory=dict)
    fusions: dict[int, str] = field(default_factory=dict)
    networks: dict[int, str] = field(default_factory=dict)
    fishers: dict[int, str] = field(default_factory=dict)
