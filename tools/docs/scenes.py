"""What the commands of each page meet when they are run, and which programs are not here.

A test stands where a reader would: in a checkout, with the binary on the path, in front of a Webex that knows
their token. The sandbox is that Webex. Fixed ports and places of the pages are replaced by free ones.
"""

import re

# Programs that no test of the documentation can run, with the reason. A block that calls one is not run, is
# parsed by bash all the same, and stands in the list that is printed.
NOT_HERE = {
    "kubectl": "needs a cluster; `make test-cluster` follows docs/kubernetes.md to the first message",
    "helm": "needs a cluster, or a registry with a release; `make test-cluster` likewise",
    "docker": "needs a container engine",
    "cosign": "needs a release that is published",
    "gh": "needs a release that is published",
    "git": "would change the repository",
    "make": "is a target of its own; that it exists is checked",
    "journalctl": "needs systemd",
    "systemctl": "needs systemd",
}
# `cargo run -- …` is our binary; what else cargo does takes minutes.
BUILDS = re.compile(r"^cargo (?!run -- )", re.MULTILINE)

# The room `ops` of the sandbox: ids follow from names.
OPS = "Y2lzY29zcGFyazovL3VzL1JPT00vNTEwOTFlZmYtNzAzNS04NzBiLTg2MmEtOWZkNWZlZmRlOTUz"

CONFIG = f"""\
[bots.default]
token_file = "secrets/token"

[rooms]
ops = "{OPS}"

[receivers.default]
rooms = ["ops"]

[receivers.team-a]
people = ["oncall@example.org"]

[receivers."team-a/webex/main"]
people = ["oncall@example.org"]
bearer_token_file = "token"
"""

# What a page's commands take from the reader's own folder.
FILES = {
    "config.toml": CONFIG,
    "secrets/token": "sandbox\n",
    "token": "callers-0123456789\n",
}

# What runs already where a page begins in the middle: a command, before the page's own.
BEFORE = {
    "docs/logging.md": f"export WEBEX_TOKEN=sandbox WEBEX_ROOM={OPS}",
    "docs/reload.md": "alertmanager-webex serve --config config.toml",
    "docs/status.md": "alertmanager-webex serve --config config.toml",
}

# What a reader puts in the place of a word.
PLACEHOLDERS = [
    ("WEBEX_TOKEN=…", "WEBEX_TOKEN=sandbox"),
    ("WEBEX_ROOM=…", f"WEBEX_ROOM={OPS}"),
    ("NEWEST.json", "examples/notification.json"),
]

# Fixed ports of the pages: what listens there. Each page gets free ones.
PORTS = {"9091": "the service", "9092": "metrics and the like", "9093": "Alertmanager", "9095": "the sandbox"}
