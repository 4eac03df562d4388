"""What pip installs: built from the checkout, looked into, and used in an environment outside it.

There another distribution has an `app` and `pages` of its own, and so has the folder where the user happens to be.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser

import cl_core
from cl_core.cli import serve
from cl_core.errors import UserError
from tests.browser.serving import CHECKOUT, Server
from tests.browser.test_journeys import MERGE
from tests.browser.visiting import Visitor

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTALLED = {
    "adapter_lab": "adapter_lab",
    "app": "adapter_lab/app",
    "cl_core": "cl_core",
    "pages": "adapter_lab/pages",
}
"""Folders of the checkout, and where they come to lie."""
METADATA = f"adapter_lab-{cl_core.__version__}.dist-info"


def sources() -> list[str]:
    """Files of the checkout that git does not ignore, from its root."""
    listing = ["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached", "--others"]
    names = subprocess.run([*listing, "--exclude-standard"], capture_output=True, check=True).stdout
    return [name for name in names.decode().split("\0") if name and (CHECKOUT / name).is_file()]


def carry_out(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """From a copy of the sources, so that nothing of an earlier build comes along."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in sources():
        (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, folder / "checkout" / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    done = carry_out(*pip, "--wheel-dir", str(folder), "./checkout", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel.

    Attributes:
        packages: where it has been installed.
        lab: the command.
        folder: of the user's.
    """

    packages: Path
    lab: Path
    folder: Path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment of its own, which borrows what the wheel needs from this one, but not the checkout."""
    root = tmp_path_factory.mktemp("installed")
    home, user = root / "environment", root / "user"
    venv.create(home)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install"]
    done = carry_out(*pip, "--no-deps", "--no-index", "--no-compile", str(wheel), folder=root)
    assert done.returncode == 0, done.stdout + done.stderr
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    borrowed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    for folder in (packages, user):
        for name in ("app", "pages"):
            (folder / name).mkdir(parents=True)
            (folder / name / "__init__.py").write_text("raise ImportError('of somebody else')\n")
    return Installed(packages, home / "bin" / "adapter-lab", user)


def test_the_wheel_has_every_file_of_the_app_and_the_core_and_no_other(wheel: Path) -> None:
    folders = {name: name.split("/")[0] for name in sources() if "/" in name}
    wanted = {
        INSTALLED[folder] + name.removeprefix(folder)
        for name, folder in folders.items()
        if folder in INSTALLED
    }
    packed = {name for name in ZipFile(wheel).namelist() if not name.startswith(f"{METADATA}/")}
    assert {name for name in wanted if not name.endswith(".py")} > {
        "adapter_lab/app/.streamlit/config.toml",
        "adapter_lab/app/icon.png",
        "cl_core/py.typed",
    }
    assert packed == wanted


def test_it_takes_two_names_of_the_environment_and_has_its_command_and_licences(
    wheel: Path,
) -> None:
    with ZipFile(wheel) as files:
        names = files.namelist()
        entries = ConfigParser()
        entries.read_string(files.read(f"{METADATA}/entry_points.txt").decode())
    assert {name.split("/")[0] for name in names} == {"adapter_lab", "cl_core", METADATA}
    assert dict(entries["console_scripts"]) == PROJECT["scripts"]
    licences = [name for name in names if name.startswith(f"{METADATA}/licenses/")]
    assert f"{METADATA}/licenses/LICENSE" in licences
    assert f'"dist/{wheel.name}[' in (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert len(licences) == 1 + len(list(CHECKOUT.glob("app/figures/pictures/*/LICENSE*")))


def test_what_the_app_is_said_to_need_is_its_extra() -> None:
    extra = [re.split("[<>=]", need)[0] for need in PROJECT["optional-dependencies"]["app"]]
    assert sorted(serve.NEEDED.values()) == sorted(extra)


def test_what_of_it_is_missing_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(serve.NEEDED, "no_such_module", "no-such-package")
    with pytest.raises(UserError) as refusal:
        serve.check_installed()
    assert str(refusal.value) == (
        "the app needs what is not installed: no-such-package; run: pip install 'adapter-lab[app]'"
    )


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leads an environment's processes to the checkout."""
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.mark.usefixtures("alone")
def test_its_command_writes_a_report_beside_an_app_of_somebody_else(installed: Installed) -> None:
    demonstration = installed.packages / "adapter_lab" / "app" / "demonstration"
    words = ["report", "clips-dam", "--workspace", str(demonstration), "--html", "report.html"]
    done = carry_out(str(installed.lab), *words, folder=installed.folder)
    assert (done.returncode, done.stderr) == (0, "")
    page = (installed.folder / "report.html").read_text(encoding="utf-8")
    assert "clips-dam" in page
    assert "cannot be shown" not in page


@pytest.mark.usefixtures("alone")
def test_its_command_opens_the_lab_beside_an_app_of_somebody_else(
    installed: Installed, browser: Browser, tmp_path: Path
) -> None:
    """The first page, and one that asks a worker, whose backbone comes with the wheel."""
    log = tmp_path / "server.log"
    with Server(tmp_path / "mine", log, [str(installed.lab)], installed.folder) as server:
        visitor = Visitor(browser, server.url)
        visitor.go()
        visitor.see("See how one sample was routed")
        visitor.go("sample", ws="Demonstration", run="clips-dam")
        visitor.see(MERGE)
        visitor.leave()
    assert not visitor.faults, visitor.faults
