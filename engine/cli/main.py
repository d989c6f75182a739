"""Where the ``engine`` command starts: light, so that an interrupt is caught from the first moment on."""

import sys

INTERRUPTED = 130


def run() -> None:
    """Start the command line; an interrupt at any time ends it in one line."""
    try:
        from engine.cli.commands import start

        start()
    except KeyboardInterrupt:
        sys.stderr.write("engine: interrupted.\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    run()
