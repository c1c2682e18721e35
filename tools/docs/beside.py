#!/usr/bin/env python3
"""Starts a program for a command of the documentation; one that runs until it is stopped goes to the background.

    beside.py PROGRAM ARGUMENT…     runs it; a server is left running once it listens
    beside.py --end                 stops the servers, and says which did not end by itself

A reader would stop one server before starting the next at the same port, so that happens here as well.
BESIDE names the folder with what is known of those that run.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ.get("BESIDE", ".beside"))
PATIENCE = 120
OURS = ("serve", "dev", "sandbox")


def addresses(program, arguments):
    """Arguments with free ports, and the port at which the server is ready; None for what is none."""
    service, sandbox = os.environ["SERVICE_PORT"], os.environ["SANDBOX_PORT"]
    if Path(program).name == "alertmanager":
        listen = re.search(r"--web\.listen-address=\S*:(\d+)", " ".join(arguments))
        return arguments, listen.group(1) if listen else None
    command = arguments[0] if arguments else ""
    if command not in OURS or "--help" in arguments:
        return arguments, None
    listen = re.search(r"--listen[ =]\S*:(\d+)", " ".join(arguments))
    if command == "dev":
        extra = [] if listen else ["--listen", f"127.0.0.1:{service}"]
        return [*arguments, *extra, "--sandbox-listen", f"127.0.0.1:{sandbox}"], listen.group(1) if listen else service
    if command == "sandbox":
        extra = [] if listen else ["--listen", f"127.0.0.1:{sandbox}"]
        return [*arguments, *extra], listen.group(1) if listen else sandbox
    return arguments, service


def listens(port):
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", int(port))) == 0


def stop(file):
    """Ends one server. What is wrong with how it ended, or None."""
    known = json.loads(file.read_text())
    said = file.with_suffix(".log")
    file.unlink()
    try:
        os.kill(known["supervisor"], signal.SIGTERM)
    except ProcessLookupError:
        pass
    deadline = time.monotonic() + PATIENCE
    code = file.with_suffix(".code")
    while time.monotonic() < deadline:
        if code.exists() and code.read_text():
            ended = int(code.read_text())
            name = " ".join(known["command"])
            return None if ended == 0 else f"`{name}` ended with {ended}:\n{said.read_text()[-2000:]}"
        time.sleep(0.02)
    return f"`{' '.join(known['command'])}` does not end"


def supervise(command, file):
    """Waits for the server in a process of its own, passes SIGTERM on, and keeps the exit code."""
    with open(file.with_suffix(".log"), "w") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    code = server.wait()
    file.with_suffix(".code").write_text(str(code))


def start(program, arguments, port):
    FOLDER.mkdir(exist_ok=True)
    for other in sorted(FOLDER.glob("*.json")):
        same_kind = json.loads(other.read_text())["command"][0] == program
        wrong = stop(other) if same_kind else None
        if wrong:
            sys.exit(f"error: {wrong}")
    file = FOLDER / f"{len(list(FOLDER.glob('*.log')))}.json"
    command = [program, *arguments]
    supervisor = os.fork()
    if supervisor == 0:
        os.setsid()
        # Whoever reads our output through a pipe must not wait for the server's end.
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        supervise(command, file)
        os._exit(0)
    file.write_text(json.dumps({"supervisor": supervisor, "command": command}))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if file.with_suffix(".code").exists():
            code = file.with_suffix(".code").read_text()
            file.unlink()
            sys.stderr.write(file.with_suffix(".log").read_text())
            sys.exit(int(code or 1) or f"error: {' '.join(command)} ended, instead of running until it is stopped")
        if listens(port):
            sys.stdout.write(file.with_suffix(".log").read_text())
            return
        time.sleep(0.02)
    sys.exit(f"error: {' '.join(command)} does not listen at {port}")


def main():
    if sys.argv[1] == "--end":
        problems = [stop(file) for file in sorted(FOLDER.glob("*.json"))] if FOLDER.exists() else []
        problems = [problem for problem in problems if problem]
        if problems:
            sys.exit("error: " + "\n".join(problems))
        return
    program, arguments = sys.argv[1], sys.argv[2:]
    arguments, port = addresses(program, arguments)
    if port is None:
        os.execvp(program, [program, *arguments])
    start(program, arguments, port)


if __name__ == "__main__":
    main()
