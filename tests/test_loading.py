"""Nothing that is read is run: no pickle, no code of a checkpoint, weights as safetensors. Told by syntax trees."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("adapter_lab", "app", "benchmarks", "cl_core", "pages", "pretraining")
CODE_IN_DATA = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "pickletools", "shelve"}
"""Modules that run what they read."""
WRITES_ALONE = ["dumps"]
"""What may be imported of them: nothing is read by it, and so nothing is run."""
NO_WEIGHTS = {"AutoConfig", "AutoImageProcessor", "AutoTokenizer", "PreTrainedTokenizerFast"}
"""Classes whose `from_pretrained` reads none."""
BANNED = {
    "yaml.load": "yaml.safe_load",
    "yaml.full_load": "yaml.safe_load",
    "yaml.unsafe_load": "yaml.safe_load",
    "os.system": "subprocess with a list",
    "pandas.read_pickle": "parquet",
    "pd.read_pickle": "parquet",
    "torch.jit.load": "safetensors",
    "eval": "a parser",
    "exec": "a parser",
}
"""Calls, with what takes their place."""


def faults(source: str) -> list[str]:
    """What in a source could run what it reads, by line."""
    said = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom) and names == WRITES_ALONE:
                continue
            modules = names if isinstance(node, ast.Import) else [node.module or ""]
            said += [
                f"{node.lineno}: imports {name}"
                for name in modules
                if name.partition(".")[0] in CODE_IN_DATA
            ]
        elif isinstance(node, ast.Call):
            said += [f"{node.lineno}: {fault}" for fault in _of_call(node)]
    return said


def _of_call(call: ast.Call) -> list[str]:
    name = ast.unparse(call.func)
    given = {word.arg: ast.unparse(word.value) for word in call.keywords if word.arg}
    said = []
    if name in BANNED:
        said.append(f"{name}: use {BANNED[name]}")
    if given.get("trust_remote_code", "False") != "False":
        said.append(f"{name} may run code of a checkpoint")
    if given.get("allow_pickle", "False") != "False":
        said.append(f"{name} may unpickle")
    if given.get("shell", "False") != "False":
        said.append(f"{name} starts a shell")
    if name == "torch.load" and given.get("weights_only") != "True":
        said.append("torch.load without weights_only=True")
    if name.endswith(".from_pretrained"):
        of = name.removesuffix(".from_pretrained").rpartition(".")[2]
        if of not in NO_WEIGHTS and given.get("use_safetensors") != "True":
            said.append(f"{name} without use_safetensors=True")
    return said


def test_no_source_runs_what_it_reads() -> None:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 300
    said = {
        file.relative_to(ROOT).as_posix(): faults(file.read_text(encoding="utf-8"))
        for file in [*files, ROOT / "setup.py"]
    }
    assert {file: lines for file, lines in said.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import torch\ntorch.load('weights.pt')",
        "torch.load('weights.pt', weights_only=False)",
        "np.load('a.npy', allow_pickle=True)",
        "yaml.load(text, Loader=yaml.Loader)",
        "eval(text)",
        "exec(compile(text, '', 'exec'))",
        "AutoModel.from_pretrained(folder)",
        "transformers.AutoModel.from_pretrained(folder, use_safetensors=None)",
        "AutoConfig.from_pretrained(folder, trust_remote_code=True)",
        "load_dataset(name, trust_remote_code=asked)",
        "subprocess.run(line, shell=True)",
        "pd.read_pickle(file)",
    ],
)
def test_whatever_would_is_named(source: str) -> None:
    assert faults(source)


@pytest.mark.parametrize(
    "source",
    [
        "torch.load('weights.pt', weights_only=True)",
        "model.eval()",
        "yaml.safe_load(text)",
        "AutoTokenizer.from_pretrained(folder)",
        "AutoModel.from_pretrained(folder, use_safetensors=True, trust_remote_code=False)",
    ],
)
def test_what_is_safe_passes(source: str) -> None:
    assert faults(source) == []
