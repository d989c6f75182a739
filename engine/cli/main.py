"""Where the ``engine`` command starts: light, so that an interrupt is caught from the first moment on."""

import signal
import sys

INTERRUPTED = 130


def run() -> None:
    """Start the command line; an interrupt at any time ends it in one line."""
    try:
        from engine.cli.app import start

        start()
    except KeyboardInterrupt:
        sys.stderr.write("engine: interrupted.\n")
        sys.exit(INTERRUPTED)
    finally:
        # The command has ended, and a second interrupt would only show where Python was tidying up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    run()
