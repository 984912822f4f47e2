"""Where the command `swr-warehouse` begins, also as `python -m assets.cli`.

Importing all that a command needs takes a while, and may be interrupted too.
"""

from assets.cli.stopping import end_when_stopped


def run() -> None:
    """Run the command line."""
    end_when_stopped()
    from assets.cli.main import main  # noqa: PLC0415 - see above

    main()


if __name__ == "__main__":
    run()
