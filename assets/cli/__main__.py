"""Runs the command line as `python -m assets.cli`."""

from assets.cli.main import main

main()
