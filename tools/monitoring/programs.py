"""Starts the real programs on free ports of the loopback, and ends what it started."""

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from closed_sets import ROOT

BINARY = os.environ.get("BINARY", str(ROOT / "target/debug/alertmanager-webex"))
PROMETHEUS = os.environ.get("PROMETHEUS", "prometheus")
PROMTOOL = os.environ.get("PROMTOOL", "promtool")
# How long a start may take: a machine that also compiles is slow.
START_WITHIN_SECONDS = 60


class Failed(Exception):
    """What went wrong, in words for who runs the check."""


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % probe.getsockname()[1]


def call(method, url, body=None, headers=None, timeout=30):
    """One request; status and text of its answer, whichever it is."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Programs(contextlib.ExitStack):
    """A folder and the programs that run in it; both are gone afterwards."""

    def __init__(self):
        super().__init__()
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="monitoring-")))

    def start(self, name, command, ready, environment=None):
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(environment or {})})
        self.callback(self._end, process)
        deadline = time.monotonic() + START_WITHIN_SECONDS
        while True:
            with contextlib.suppress(OSError):
                if call("GET", ready, timeout=5)[0] == 200:
                    return
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{name} is not ready at {ready}; it said:\n{log.read_text()[-4000:]}")
            time.sleep(0.05)

    @staticmethod
    def _end(process):
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def sandbox(self):
        address = free_address()
        self.start("sandbox", [BINARY, "sandbox", "--listen", address, "--bot", "storms=storms"], f"http://{address}/control/v1/rooms")
        return f"http://{address}"

    def service(self, config, environment=None):
        address = free_address()
        file = self.folder / "config.toml"
        file.write_text(f'[server]\nlisten = "{address}"\nshutdown_delay = "0s"\nshutdown_grace = "1s"\n{config}')
        self.start("service", [BINARY, "serve", "--config", str(file)], f"http://{address}/-/ready",
                   {"RUST_LOG": "info", **(environment or {})})
        return address

    def prometheus(self, target):
        address = free_address()
        file = self.folder / "prometheus.yml"
        file.write_text(f"""
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: [{ROOT / "chart/monitoring/alerts.yaml"}]
scrape_configs:
  - job_name: alertmanager-webex
    static_configs: [{{ targets: ["{target}"], labels: {{ namespace: monitoring }} }}]
""")
        self.start("prometheus", [PROMETHEUS, f"--config.file={file}", f"--storage.tsdb.path={self.folder / 'data'}",
                                  f"--web.listen-address={address}", "--log.level=warn"], f"http://{address}/-/ready")
        return f"http://{address}/api/v1"
