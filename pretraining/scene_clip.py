"""Trains `scene-clip`, the embedded vision-language backbone: a small CLIP on drawn scenes and their captions.

    python pretraining/scene_clip.py --output cl_core/backbones/scene_clip | tee pretraining/scene_clip.log

A CLIP of open_clip's own classes (Radford et al. 2021, arXiv 2103.00020): an image tower at 64 x 64 and a small text
tower, trained contrastively on two things at once: a picture and its caption, as in the paper, and the patches where a
thing lies and the words for it ("a red star" among all that the batch shows; RegionCLIP, Zhong et al. 2022, arXiv
2112.09106, has the idea). Captions alone hardly taught what shape a thing has: colours and backgrounds told them
apart. Scenes and captions are those of `captioned_scenes.py`. The same seed gives the same scenes, captions and order;
on one machine the same weights. Prints, and so logs, the losses, held-out caption retrieval and zero-shot accuracy.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from captioned_scenes import CAPTIONS, PATCH, WORDS, scenes
from open_clip.loss import ClipLoss
from safetensors.torch import save_file
from torch import Tensor

from cl_core.synthetic.draw import Draw
from cl_core.synthetic.scenes.captions import MANNERS, with_article
from cl_core.synthetic.scenes.figures import FIGURES
from cl_core.synthetic.scenes.painter import SIDE, paint
from cl_core.synthetic.scenes.scene import COLOURS, draw_scene

MODEL = {
    "embed_dim": 192,
    "vision_cfg": {
        "image_size": SIDE,
        "layers": 4,
        "width": 192,
        "head_width": 64,
        "patch_size": PATCH,
    },
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 96, "heads": 4, "layers": 3},
}
PREPROCESS = {"size": SIDE, "mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear"}


def look(model: open_clip.CLIP, images: Tensor) -> tuple[Tensor, Tensor]:
    """(B, e) of the pictures and (B, PATCHES^2, e) of their patches, both of length 1."""
    model.visual.output_tokens = True
    pooled, patches = model.visual(images)
    model.visual.output_tokens = False
    return F.normalize(pooled, dim=-1), F.normalize(patches @ model.visual.proj, dim=-1)


def at_things(patches: Tensor, regions: Tensor, things: Tensor) -> tuple[Tensor, Tensor]:
    """(n, e) mean of the patches where each thing lies, of length 1, and (n,) what it is called."""
    there = things >= 0
    masks = regions.to(patches.dtype)
    means = torch.bmm(masks, patches) / masks.sum(dim=2, keepdim=True).clamp(min=1)
    return F.normalize(means[there], dim=-1), things[there]


def normal(pixels: Tensor, device: torch.device) -> Tensor:
    """As the model's preprocessing: (B, 3, 64, 64) uint8 to -1..1."""
    return pixels.to(device).float() / 127.5 - 1


def batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """All rows by lot, whole batches only: the loss depends on the batch's size."""
    order = torch.randperm(count, generator=generator)
    for begin in range(0, count - size + 1, size):
        yield order[begin : begin + size]


@torch.no_grad()
def embed_images(model: open_clip.CLIP, pixels: Tensor, device: torch.device) -> Tensor:
    """(N, e) of length 1."""
    parts = [model.encode_image(normal(part, device), normalize=True) for part in pixels.split(250)]
    return torch.cat(parts).float().cpu()


@torch.no_grad()
def embed_texts(
    model: open_clip.CLIP,
    tokenize: open_clip.SimpleTokenizer,
    texts: Sequence[str],
    device: torch.device,
) -> Tensor:
    """(N, e) of length 1."""
    tokens = tokenize(list(texts)).to(device)
    parts = [model.encode_text(part, normalize=True) for part in tokens.split(250)]
    return torch.cat(parts).float().cpu()


def quality(
    model: open_clip.CLIP,
    tokenize: open_clip.SimpleTokenizer,
    seed: int,
    count: int,
    device: torch.device,
) -> dict[str, float]:
    """Held-out retrieval, and zero-shot accuracy from prompts, on scenes that training has not seen."""
    model.eval()
    held_out = scenes(seed, 10**9, count)
    images = embed_images(model, held_out.pixels, device)
    texts = embed_texts(
        model, tokenize, [caption_list[0] for caption_list in held_out.captions], device
    )
    ranks = (images @ texts.T).argsort(dim=1, descending=True)
    rank = (ranks == torch.arange(len(ranks)).unsqueeze(1)).float().argmax(dim=1)
    shares = {
        f"caption of a picture, R@{k} of {count}": float((rank < k).float().mean())
        for k in (1, 5, 10)
    }
    names = list(FIGURES)
    alone = [
        draw_scene(
            Draw("zero-shot", seed, n), 1, figures=[names[n % len(names)]], sizes=("big", "huge")
        )
        for n in range(40 * len(names))
    ]
    pictures = torch.from_numpy(np.stack([paint(scene) for scene in alone])).permute(0, 3, 1, 2)
    images = embed_images(model, pictures.contiguous(), device)
    prompts = {
        "figure": (
            [with_article(name) for name in names],
            [scene.things[0].figure for scene in alone],
            names,
        ),
        "colour": (
            [f"{with_article(colour)} thing" for colour in COLOURS],
            [scene.things[0].colour for scene in alone],
            list(COLOURS),
        ),
        "style": (
            [f"a picture {manner}" for manner in MANNERS.values()],
            [scene.style for scene in alone],
            list(MANNERS),
        ),
    }
    for what, (texts_of, true, classes) in prompts.items():
        best = (images @ embed_texts(model, tokenize, texts_of, device).T).argmax(dim=1).tolist()
        right = np.mean([classes[guess] == truth for guess, truth in zip(best, true, strict=True)])
        shares[f"zero-shot {what}, {len(classes)} classes"] = float(right)
    with torch.no_grad():
        patches = [
            look(model, normal(part, device))[1].cpu() for part in held_out.pixels.split(250)
        ]
    seen, true = at_things(torch.cat(patches), held_out.regions, held_out.things)
    named = embed_texts(model, tokenize, [with_article(words) for words in WORDS], device)
    guess = (seen @ named.T).argmax(dim=1)
    kinds = {"colour": (guess // len(FIGURES), true // len(FIGURES), len(COLOURS))}
    kinds["figure"] = (guess % len(FIGURES), true % len(FIGURES), len(FIGURES))
    for what, (guesses, truth, classes) in kinds.items():
        right = float((guesses == truth).float().mean())
        shares[f"{what} of a thing where it lies, among others, {classes} classes"] = right
    model.train()
    return shares


def main() -> None:
    """Makes scenes, trains, and writes the checkpoint as open_clip lays it out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    torch.manual_seed(asked.seed)
    model = open_clip.CLIP(**MODEL).to(device)
    tokenize = open_clip.SimpleTokenizer(context_length=MODEL["text_cfg"]["context_length"])
    count = {side: sum(p.numel() for p in part) for side, part in towers(model).items()}
    print(f"torch {torch.__version__}, {device}, seed {asked.seed}, parameters {count}", flush=True)
    began = time.perf_counter()
    lots = scenes(asked.seed, 0, asked.scenes)
    tokens = torch.stack([tokenize(caption) for caption in lots.captions])  # (N, CAPTIONS, T)
    names = tokenize([with_article(words) for words in WORDS]).to(device)
    print(f"{asked.scenes} scenes in {time.perf_counter() - began:.0f} s", flush=True)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=asked.learning_rate,
        betas=(0.9, 0.98),
    )
    steps = asked.epochs * (asked.scenes // asked.batch_size)
    warm = max(1, min(200, steps // 10))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda s: min((s + 1) / warm, 0.5 * (1 + math.cos(math.pi * min(s / steps, 1)))),
    )
    loss_of = ClipLoss()
    generator = torch.Generator().manual_seed(asked.seed)
    model.train()
    for epoch in range(asked.epochs):
        totals, done = torch.zeros(2), 0
        for rows in batches(asked.scenes, asked.batch_size, generator):
            which = torch.randint(CAPTIONS, (len(rows),), generator=generator)
            with torch.autocast(device.type, torch.bfloat16):
                image, patches = look(model, normal(lots.pixels[rows], device))
                text = model.encode_text(tokens[rows, which].to(device), normalize=True)
                things = lots.things[rows].to(device)
                called = things[things >= 0].unique()
                named = model.encode_text(names[called], normalize=True)
            scale = model.logit_scale.exp()
            captions = loss_of(image.float(), text.float(), scale)
            seen, true = at_things(patches.float(), lots.regions[rows].to(device), things)
            where = torch.searchsorted(called, true)
            regions = F.cross_entropy(scale * seen @ named.float().T, where)
            optimiser.zero_grad()
            (captions + regions).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                model.logit_scale.clamp_(0, math.log(100))
            totals, done = totals + torch.tensor([captions.item(), regions.item()]), done + 1
        spent = time.perf_counter() - began
        both = (totals / done).tolist()
        print(
            f"epoch {epoch + 1}: loss of captions {both[0]:.3f}, of things {both[1]:.3f}, {spent:.0f} s",
            flush=True,
        )
    for what, value in quality(model, tokenize, asked.seed, asked.held_out, device).items():
        print(f"{what}: {100 * value:.1f} %", flush=True)
    write(model, asked.output)
    print(f"written after {time.perf_counter() - began:.0f} s", flush=True)


def towers(model: open_clip.CLIP) -> dict[str, list[Tensor]]:
    """Parameters by side."""
    visual = list(model.visual.parameters())
    ids = {id(p) for p in visual}
    return {"image": visual, "text": [p for p in model.parameters() if id(p) not in ids]}


def write(model: open_clip.CLIP, folder: Path) -> None:
    """The layout of open_clip's `push_to_hub`, weights in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    state = {name: tensor.half().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")


if __name__ == "__main__":
    main()
