"""How much of a text does the centroid router need? Routing accuracy against `max_length`, no training.

    CL_DATA=FOLDER python benchmarks/quality/router_length.py --stream mtl5 --lengths 64 128

500 training and 200 test samples a task; DAM's router at its published layer, k = 1.
"""

from __future__ import annotations

import argparse

import torch

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.features import extract_features
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.evaluate.routing import router_accuracy
from cl_core.route.centroid import CentroidRouter
from cl_core.route.settings import RouterSettings
from cl_core.tasks.stream_loader import load_stream


def main() -> None:
    """Prints one line per length."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--stream", default="mtl5")
    parser.add_argument("--lengths", type=int, nargs="+", default=[64, 128])
    arguments = parser.parse_args()
    stream = load_stream(arguments.stream, limits={"train": 500, "test": 200})
    settings = RouterSettings(k=1)
    for length in arguments.lengths:
        backbone = load_backbone(BackboneSettings(max_length=length), torch.device("cpu"))
        assert isinstance(backbone, TextBackbone)
        router, test, true = CentroidRouter(settings), [], []
        for index, task in enumerate(stream.tasks):
            rows = (backbone.tokenize(list(task.splits[s]["text"])) for s in ("train", "test"))
            train, tested = (
                extract_features(backbone, split, layer=settings.layer) for split in rows
            )
            router.add_task(train)
            test.append(tested)
            true += [index] * len(tested)
        accuracy = router_accuracy(router.route(torch.cat(test)).weights.numpy(), true)
        print(
            f"{arguments.stream}, {length} tokens: {100 * accuracy:.1f} % routed to their own task",
            flush=True,
        )


if __name__ == "__main__":
    main()
