"""Starts programs, and says what they said."""

import subprocess

# Nothing that works takes so long, also on a machine that is busy with something else.
PATIENCE = 120


def told(command, **options):
    """The exit code, and what was printed, errors first."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **options)
    except FileNotFoundError:
        raise SystemExit(f"error: there is no {command[0]}; `make test-docs` builds or installs it") from None
    return done.returncode, done.stderr + done.stdout
