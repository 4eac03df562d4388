"""How far `scene-clip` carries beyond the scenes it was trained on: linear probes beside a random network of its shape.

    CL_DATA=FOLDER python benchmarks/scene_clip_quality.py

A logistic regression on the frozen class token: trained on at most `--rows` training rows, its strength of
regularisation chosen on validation rows, scored on test rows. scikit-learn's digits and the built-in scenes are always
there, `pacs` and `mnist` where CL_DATA names them. What training on scenes itself taught (retrieval of captions,
zero-shot accuracy) is in pretraining/scene_clip.log.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from cl_core.backbones.encoder import Backbone
from cl_core.backbones.features import extract_features
from cl_core.backbones.load import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.tasks.load import data_folder, load_stream
from cl_core.tasks.task import Task

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)


def random_twin(settings: BackboneSettings) -> Backbone:
    """The same network with the weights that it started its training from, or such as it might have."""
    import open_clip

    twin = load_backbone(settings, torch.device("cpu"))
    torch.manual_seed(0)
    from cl_core.backbones.catalogue import KNOWN

    config = open_clip.CLIP(**_shape(KNOWN["scene-clip"].path))
    twin.model.load_state_dict(config.visual.state_dict())
    return twin


def _shape(folder: Path) -> dict[str, object]:
    import json

    shape: dict[str, object] = json.loads((folder / "open_clip_config.json").read_text())[
        "model_cfg"
    ]
    return shape


def probe(backbone: Backbone, task: Task) -> float:
    """Test accuracy of the best probe by validation accuracy."""
    features, labels = {}, {}
    for split, rows in task.splits.items():
        encoding = backbone.encode({"image": rows["image"]})
        features[split] = extract_features(backbone, encoding, -1, "cls", 64).numpy()
        labels[split] = list(rows["label"])
    scale = StandardScaler().fit(features["train"])
    scaled = {split: scale.transform(found) for split, found in features.items()}
    probes = [
        LogisticRegression(C=strength, max_iter=2000).fit(scaled["train"], labels["train"])
        for strength in STRENGTHS
    ]
    best = max(probes, key=lambda each: each.score(scaled["validation"], labels["validation"]))
    return float(best.score(scaled["test"], labels["test"]))


def main() -> None:
    """Reads the command line and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1000, help="training rows of a task, at most")
    asked = parser.parse_args()
    streams = ["digits", "scenes", *(["pacs", "mnist-usps"] if data_folder() else [])]
    settings = BackboneSettings(name="scene-clip")
    trained, twin = load_backbone(settings, torch.device("cpu")), random_twin(settings)
    print("| stream | task | classes | scene-clip (%) | random network (%) |")
    print("| --- | --- | ---: | ---: | ---: |")
    limits = {"train": asked.rows, "validation": 300, "test": 500}
    for name in streams:
        for task in load_stream(name, limits=limits).tasks:
            scores = [100 * probe(each, task) for each in (trained, twin)]
            print(
                f"| {name} | {task.name} | {len(task.label_names)} | {scores[0]:.1f} | {scores[1]:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
