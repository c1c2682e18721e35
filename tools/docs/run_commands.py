#!/usr/bin/env python3
"""Runs the commands of the documentation, page by page, as a reader would.

    BINARY=… TOOLS=FOLDER… python3 tools/docs/run_commands.py [PAGE…]

The blocks of a page run in one shell, one after the other, in a folder that looks like a checkout. A program that
runs until it is stopped (`serve`, `dev`, `sandbox`, `alertmanager`) runs on in the background, see beside.py; the next
command begins when it is ready. Each command has to end with 0, unless a mark says otherwise (pages.py). What is
not run is listed with the reason: by a mark, or by its program (scenes.py).
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pages
import scenes

BINARY = os.environ.get("BINARY", "target/debug/alertmanager-webex")
# Folders with amtool, alertmanager and promtool.
TOOLS = os.environ.get("TOOLS", "").split()
BESIDE = Path(__file__).with_name("beside.py")
# For all commands of a page together, on a machine that is busy with something else.
PATIENCE = 300


def why_not(block):
    """Why a block is not run, or None."""
    marked = block.mark("not run")
    if marked is not None:
        return marked
    commands = re.sub(r"\\\n", " ", block.text)
    for name, reason in scenes.NOT_HERE.items():
        if re.search(rf"(?m)(?:^|[|;&(]|\b(?:then|do|sudo))\s*{name}\s", commands):
            return f"{name} {reason}"
    if scenes.BUILDS.search(commands):
        return "cargo builds for minutes; the targets of make do it"
    return None


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Stage:
    """The folder, the programs and the Webex that the commands of one page meet."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = {port: str(free_port()) for port in scenes.PORTS}
        self.webex = str(free_port())
        for entry in pages.ROOT.iterdir():
            if entry.name not in (".git", "target"):
                (folder / entry.name).symlink_to(entry)
        for name, text in scenes.FILES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        self._shims()

    def _shims(self):
        """Programs of these names come before the real ones."""
        shims = self.folder / ".shims"
        shims.mkdir()
        python = shlex.quote(sys.executable)
        for name, program in (("alertmanager-webex", Path(BINARY).resolve()), ("alertmanager", self._tool("alertmanager"))):
            start = f'exec {python} {shlex.quote(str(BESIDE))} {shlex.quote(str(program))} "$@"'
            self._script(shims / name, start)
        # `curl -s` ends with 0 whatever the answer: here a refusal is one.
        fails = 'case " $*" in *" -sf "*|*" -f "*) ;; *) set -- --fail-with-body "$@" ;; esac'
        self._script(shims / "curl", f'{fails}\nexec {shutil.which("curl")} "$@"')
        self._script(shims / "cargo", '[ "$1 $2" = "run --" ] && shift 2 && exec alertmanager-webex "$@"; exit 97')

    @staticmethod
    def _script(file, line):
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)

    @staticmethod
    def _tool(name):
        for folder in TOOLS:
            if (Path(folder) / name).exists():
                return Path(folder).resolve() / name
        return name

    def environment(self):
        path = [str(self.folder / ".shims"), *[str(Path(one).resolve()) for one in TOOLS], os.environ["PATH"]]
        return {
            "PATH": ":".join(path),
            "HOME": str(self.folder),
            "BESIDE": str(self.folder / ".beside"),
            "SERVICE_PORT": self.ports["9091"],
            "SANDBOX_PORT": self.ports["9095"],
            "ALERTMANAGER_WEBEX__WEBEX__BASE_URL": f"http://127.0.0.1:{self.webex}/v1",
            "ALERTMANAGER_WEBEX__SERVER__LISTEN": f"127.0.0.1:{self.ports['9091']}",
        }

    def as_here(self, text):
        """A command with free ports, and with what a reader would put in the place of a word."""
        for shown, real in scenes.PLACEHOLDERS:
            text = text.replace(shown, real)
        for shown, real in self.ports.items():
            text = text.replace(f"127.0.0.1:{shown}", f"127.0.0.1:{real}")
        return text


def script(blocks, before, stage):
    lines = ["set -eu -o pipefail"]
    if before:
        lines.append(stage.as_here(before))
    for number, block in enumerate(blocks):
        text = stage.as_here(block.text)
        lines.append(f"printf '\\n@@ %s\\n' {number} | tee /dev/stderr")
        code = block.mark("fails")
        if code is None:
            lines.append(text)
        else:
            lines.append(f"code=0; (\n{text}\n) || code=$?\n[ $code = {shlex.quote(code)} ] || {{ echo \"ended with $code, not {code}\" >&2; exit 1; }}")
    lines.append("printf '\\n@@ end\\n' | tee /dev/stderr")
    return "\n".join(lines) + "\n"


def run(page, blocks):
    """What went wrong with the commands of a page; an empty list where nothing did."""
    problems = []
    for block in blocks:
        left = re.search(r"\S*…\S*", re.sub(r"#.*", "", Stage.as_here_words(block.text)))
        if left:
            problems.append(f"{block.place}: `{left.group(0)}` has to be a word that works, or stand in scenes.PLACEHOLDERS")
    if problems:
        return problems
    with tempfile.TemporaryDirectory() as name:
        stage = Stage(Path(name))
        environment = stage.environment()
        webex = start_webex(stage, environment)
        try:
            problems = play(page, blocks, stage, environment)
        finally:
            problems += end(stage)
            webex.terminate()
            webex.wait()
    return problems


def _words(text):
    for shown, real in scenes.PLACEHOLDERS:
        text = text.replace(shown, real)
    return text


Stage.as_here_words = staticmethod(_words)


def start_webex(stage, environment):
    command = [BINARY, "sandbox", "--listen", f"127.0.0.1:{stage.webex}"]
    webex = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", int(stage.webex))) == 0:
                return webex
        time.sleep(0.02)
    raise SystemExit("error: the sandbox that stands for Webex does not start")


def play(page, blocks, stage, environment):
    commands = script(blocks, scenes.BEFORE.get(page.path), stage)
    try:
        done = subprocess.run(
            ["bash", "-c", commands], cwd=stage.folder, env=environment, timeout=PATIENCE,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode() + (late.stderr or b"").decode()
        reached = re.findall(r"@@ (\d+)", said)
        place = blocks[int(reached[-1])].place if reached else page.path
        return [f"{place}: has not ended after {PATIENCE} s\n{said[-2000:]}"]
    printed = by_block(done.stdout)
    told = by_block(done.stderr)
    problems = []
    for number, block in enumerate(blocks):
        for wanted in block.all_marks("prints"):
            if str(number) in printed and wanted not in printed[str(number)]:
                problems.append(f"{block.place}: does not print `{wanted}`, but:\n{printed[str(number)]}")
    if done.returncode:
        reached = [number for number in told if number.isdigit()]
        block = blocks[int(reached[-1])] if reached else blocks[0]
        last = reached[-1] if reached else ""
        said = (told.get(last, done.stderr) + printed.get(last, ""))[-3000:]
        problems.append(f"{block.place}: ended with {done.returncode}\n{said}")
    elif "end" not in printed:
        problems.append(f"{page.path}: a command ended the shell before the last one\n{done.stdout[-1000:]}")
    return problems


def by_block(said):
    parts = re.split(r"(?m)^@@ (\w+)\n", said)
    return dict(zip(parts[1::2], parts[2::2]))


def end(stage):
    """Ends what runs in the background; each has to end by itself, and with 0."""
    done = subprocess.run(
        [sys.executable, str(BESIDE), "--end"], env=stage.environment(), capture_output=True, text=True, check=False
    )
    return [done.stderr.strip()] if done.returncode else []


def parse(block):
    """What bash says of the form of commands that are not run."""
    judged = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    return judged.stderr.strip()


def main():
    chosen = sys.argv[1:]
    problems, skipped, ran = [], [], 0
    for name in chosen or pages.names():
        page = pages.read(name)
        commands = [block for block in page.blocks if block.language == "sh"]
        here = []
        for block in commands:
            wrong = parse(block)
            if wrong:
                problems.append(f"{block.place}: bash cannot read it: {wrong}")
            reason = why_not(block)
            if reason is None:
                here.append(block)
            elif not reason:
                problems.append(f"{block.place}: the mark says no reason: `<!-- not run: needs … -->`")
            else:
                skipped.append(f"{block.place}: {reason}")
        if here:
            print(f"  {name}: {len(here)} of {len(commands)}", flush=True)
            problems += run(page, here)
            ran += len(here)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        return 1
    print(f"commands: {ran} blocks ran. {len(skipped)} did not, but bash can read them:")
    for line in skipped:
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
