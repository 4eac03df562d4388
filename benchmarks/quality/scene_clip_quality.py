"""How far `scene-clip` carries beyond the scenes it was trained on: linear probes beside a random network of its shape.

    CL_DATA=FOLDER python benchmarks/quality/scene_clip_quality.py

A logistic regression on frozen features of two kinds: the class token after the last block, and the mean of all tokens
halfway up. It is trained on at most `--rows` training samples, its regularisation is chosen on validation samples, and
it is scored on test samples. scikit-learn's digits and the built-in scenes are always there, `pacs` and `mnist-usps`
where CL_DATA is set. What training on scenes itself taught (retrieval of captions, zero-shot accuracy) is in
pretraining/scene_clip.log.
"""

from __future__ import annotations

import argparse
import json

import open_clip
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.catalogue import KNOWN
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.features import extract_features
from cl_core.backbones.settings import BackboneSettings
from cl_core.tasks.stream_loader import data_folder, load_stream
from cl_core.tasks.task import Task

FEATURES = {"class token": (-1, "cls"), "mean, halfway": (3, "mean")}
"""The hidden state (0 is the embeddings) and how it is pooled."""
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
LIMITS = {"validation": 300, "test": 500}


def random_twin(settings: BackboneSettings) -> Backbone:
    """The same network with the weights that it might have started its training from."""
    config = json.loads((KNOWN[settings.name].path / "open_clip_config.json").read_text())
    torch.manual_seed(0)
    fresh = open_clip.CLIP(**config["model_cfg"])
    twin = load_backbone(settings, torch.device("cpu"))
    twin.model.load_state_dict(fresh.visual.state_dict())
    return twin


def probe(backbone: Backbone, task: Task, layer: int, pooling: str) -> float:
    """Test accuracy (%) of the probe that is best on validation samples."""
    features, labels = {}, {}
    for split, rows in task.splits.items():
        encoding = backbone.encode({"image": rows["image"]})
        features[split] = extract_features(backbone, encoding, layer, pooling, 64).numpy()
        labels[split] = list(rows["label"])
    probes = [
        make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
        for strength in STRENGTHS
    ]
    for candidate in probes:
        candidate.fit(features["train"], labels["train"])
    best = max(
        probes, key=lambda candidate: candidate.score(features["validation"], labels["validation"])
    )
    return 100 * float(best.score(features["test"], labels["test"]))


def main() -> None:
    """Reads the command line and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", type=int, default=1000, help="training samples of a task, at most"
    )
    asked = parser.parse_args()
    settings = BackboneSettings(name="scene-clip")
    networks = {
        "scene-clip": load_backbone(settings, torch.device("cpu")),
        "random": random_twin(settings),
    }
    columns = [f"{of}, {name}" for name in FEATURES for of in networks]
    print(f"| stream | task | classes | {' | '.join(columns)} |")
    print("| --- | --- | ---: |" + " ---: |" * len(columns))
    for name in ["digits", "scenes", *(["pacs", "mnist-usps"] if data_folder() else [])]:
        for task in load_stream(name, limits={"train": asked.rows, **LIMITS}).tasks:
            scores = [
                f"{probe(network, task, layer, pooling):.1f}"
                for layer, pooling in FEATURES.values()
                for network in networks.values()
            ]
            classes = len(task.label_names)
            print(f"| {name} | {task.name} | {classes} | {' | '.join(scores)} |", flush=True)


if __name__ == "__main__":
    main()
