"""Does AdapterHub's own library give the same logits for the same adapter? Largest differences, both ways.

    python -m venv ENV && ENV/bin/pip install "adapters==1.3.0" "torch==2.12.1"
    python benchmarks/checks/adapterhub.py --python ENV/bin/python

`adapters` pins another transformers, so it runs in an environment of its own, as a second process. Random checkpoints
with random adapters of order one: written here and loaded there, made there and read here. Logits are those of one
fixed random head on the mean of the last layer's tokens, of 12 random rows of different lengths, in float32.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from cl_core.adapters.settings import Activation, Places
from cl_core.backbones.text import TextBackbone

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for the tests' random checkpoints

TARGET = 1e-5
CASES: list[
    tuple[str, Places, Activation, int | None]
] = [  # model type, sites, activation, upper blocks
    ("bert", "houlsby", "relu", None),
    ("bert", "houlsby", "silu", 2),
    ("bert", "pfeiffer", "relu", None),
    ("bert", "pfeiffer", "gelu", 2),
    ("roberta", "houlsby", "tanh", None),
    ("distilbert", "houlsby", "relu", None),
]

THERE = """
import json, sys, torch, adapters
from safetensors.torch import load_file, save_file
from transformers import AutoModel
checkpoint, folder, mode, config = sys.argv[1:]
config = json.loads(config)
batch = load_file(folder + "/batch.safetensors")
model = AutoModel.from_pretrained(checkpoint, use_safetensors=True)
adapters.init(model)
if mode == "make":
    model.add_adapter("theirs", config=adapters.BnConfig(**config), set_active=True)
    torch.manual_seed(5)
    for name, parameter in model.named_parameters():
        if ".adapters.theirs." in name:
            parameter.data.normal_(0.0, 0.3)
    model.save_adapter(folder + "/theirs", "theirs", use_safetensors=True)
else:
    model.load_adapter(folder + "/ours", load_as="ours", set_active=True, use_safetensors=True)
model.eval()
with torch.no_grad():
    states = model(input_ids=batch["ids"], attention_mask=batch["mask"]).last_hidden_state
save_file({"states": states.contiguous()}, folder + "/states.safetensors")
print(adapters.__version__)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", required=True, help="of the environment that has adapters")
    chosen = parser.parse_args()
    print(
        "| model | sites | phi | blocks | moves a logit by | written here, loaded there | made there, read here |"
    )
    print("| --- | --- | --- | --- | ---: | ---: | ---: |")
    worst = 0.0
    for model_type, sites, activation, blocks in CASES:
        with tempfile.TemporaryDirectory() as folder:
            moved, there, here = compare(
                Path(folder), chosen.python, model_type, sites, activation, blocks
            )
        worst = max(worst, there, here)
        upper = "all" if blocks is None else f"upper {blocks}"
        print(
            f"| {model_type} | {sites} | {activation} | {upper} | {moved:.1f} | {there:.1e} | {here:.1e} |"
        )
    verdict = "meets" if worst <= TARGET else "misses"
    print(f"largest difference of a logit {worst:.1e}: {verdict} {TARGET:.0e}")


def compare(
    folder: Path,
    python: str,
    model_type: str,
    sites: Places,
    activation: Activation,
    blocks: int | None,
) -> tuple[float, float, float]:
    """Largest absolute differences of logits: without an adapter; written here and loaded there; the other way."""
    from cl_core.adapters.adapter import Adapter, transforms
    from cl_core.adapters.adapterhub import TO_HUB, read_adapterhub, write_adapterhub
    from cl_core.adapters.settings import AdapterSettings
    from cl_core.backbones.backbone_loader import load_backbone
    from cl_core.backbones.settings import BackboneSettings
    from cl_core.backbones.text import Batch
    from tests.backbones.checkpoints import BLOCKS, HIDDEN, write_checkpoint

    checkpoint = write_checkpoint(model_type, folder / "model")
    backbone = load_backbone(
        BackboneSettings(name=str(checkpoint), max_length=32), torch.device("cpu")
    )
    assert isinstance(backbone, TextBackbone)
    generator = torch.Generator().manual_seed(3)
    lengths = torch.randint(3, 20, (12,), generator=generator)
    ids = torch.randint(5, 30, (12, int(lengths.max())), generator=generator)
    mask = (torch.arange(ids.shape[1]) < lengths.unsqueeze(1)).long()
    ids = torch.where(mask == 1, ids, backbone.tokenizer.pad_token_id)
    save_file({"ids": ids, "mask": mask}, folder / "batch.safetensors")
    head = torch.randn(7, HIDDEN, generator=generator)

    def logits(states: torch.Tensor) -> torch.Tensor:
        share = mask.unsqueeze(-1).float()
        return (states * share).sum(dim=1) / share.sum(dim=1) @ head.T

    @torch.no_grad()
    def ours(adapter: Adapter) -> torch.Tensor:
        return logits(backbone(Batch(ids, mask), transforms(adapter)).last_hidden_state)

    def theirs(mode: str, config: dict[str, object]) -> torch.Tensor:
        words = [python, "-c", THERE, str(checkpoint), str(folder), mode, json.dumps(config)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return logits(load_file(folder / "states.safetensors")["states"])

    settings = AdapterSettings(sites=sites, activation=activation, blocks=blocks, reduction=4)
    fresh = Adapter.initialise(settings, backbone.sites, HIDDEN, generator)
    adapter = fresh.clone()
    for tensor in adapter.parameters():
        tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
    write_adapterhub(adapter, folder / "ours", blocks=BLOCKS, name="ours", model_type=model_type)
    with torch.no_grad():
        bare = logits(backbone(Batch(ids, mask)).last_hidden_state)
    loaded = theirs("load", {})
    effect = float((loaded - bare).abs().max())
    written = float((loaded - ours(adapter)).abs().max())
    config = {
        "mh_adapter": sites == "houlsby",
        "output_adapter": True,
        "reduction_factor": 4,
        "non_linearity": TO_HUB[activation],
        "leave_out": list(range(BLOCKS - (blocks or BLOCKS))),
    }
    output = theirs("make", config)
    read = float((output - ours(read_adapterhub(folder / "theirs"))).abs().max())
    return effect, written, read


if __name__ == "__main__":
    main()
