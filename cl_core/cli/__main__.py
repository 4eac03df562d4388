"""`python -m cl_core.cli` is `adapter-lab`."""

from cl_core.cli import main

main()
