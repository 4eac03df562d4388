"""Which folders pip installs, and as what; all else is in pyproject.toml, where no folder can be listed by a rule.

`app` and `pages` go into the distribution's own package, so that nobody's environment gets an `app` or a `pages`.
"""

from setuptools import find_packages, setup

INNER = ("app", "pages")
"""Folders of the checkout that are installed within `adapter_lab`."""

inner = find_packages(include=[pattern for name in INNER for pattern in (name, f"{name}.*")])
setup(
    packages=[
        *find_packages(include=["adapter_lab", "cl_core", "cl_core.*"]),
        *(f"adapter_lab.{name}" for name in inner),
    ],
    package_dir={f"adapter_lab.{name}": name for name in INNER},
)
