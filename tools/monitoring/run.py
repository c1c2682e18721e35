"""A real run of the service in which everything happens that the dashboard shows: notifications
that are delivered, refused, turned away, repeated, threaded, in digests and in plainer forms; a
Webex that answers 429, 5xx and not at all; a configuration that is refused."""

import hashlib
import json
import threading
import time
from datetime import datetime, timezone

from closed_sets import ROOT
from programs import Failed, call

# No such room: right in form, and unknown to the sandbox.
NOWHERE = "Y2lzY29zcGFyazovL3VzL1JPT00vMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAw"

CONFIG = """
[delivery]
answer_within = "2s"
digest_after = "2s"

[webex]
base_url = "{sandbox}/v1"
request_timeout = "2s"

[templates]
directory = "{root}/examples/broken/renders"

[bots.default]
token_env = "TOKEN"
messages_per_minute = 1200

[bots.storms]
token_env = "STORMS"
messages_per_minute = 120
burst = 4

[bots.app]
client_id = "C0ffee"
client_secret_file = "{folder}/client-secret"
refresh_token_file = "{folder}/refresh-token"

[rooms]
general = "{general}"
ops = "{ops}"
nowhere = "{nowhere}"

[receivers.payments]
bot = "default"
rooms = ["ops"]

[receivers.checkout]
bot = "default"
rooms = ["general"]
conversation = "thread"

[receivers.search]
bot = "default"
rooms = ["general"]
conversation = "update"

[receivers.storage]
bot = "storms"
rooms = ["ops"]

[receivers.cart]
bot = "default"
rooms = ["nowhere"]

[receivers.mail]
bot = "default"
rooms = ["general"]
template = "label"

[receivers.tenant]
bot = "app"
rooms = ["general"]
namespaces = ["tenant"]
room_from = {{ label = "room", allow = ["ops"] }}
"""


def notification(group, status="firing", alerts=1, **labels):
    """A body as Alertmanager sends it, of one group."""
    now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    common = {"alertname": group, "severity": "warning", "namespace": "shop", **labels}
    listed = [{
        "status": status, "labels": {**common, "instance": f"node-{number}"},
        "annotations": {"summary": f"{group} at node-{number}"}, "startsAt": now,
        "endsAt": now if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph", "fingerprint": hashlib.md5(f"{group}{number}{now}".encode()).hexdigest()[:16],
    } for number in range(alerts)]
    return {
        "version": "4", "groupKey": f'{{}}:{{alertname="{group}"}}', "truncatedAlerts": 0, "status": status,
        "receiver": "webex", "groupLabels": {"alertname": group}, "commonLabels": common, "commonAnnotations": {},
        "externalURL": "http://alertmanager", "alerts": listed,
    }


class Run:
    """The sandbox, the service and Prometheus, and what is played to them."""

    def __init__(self, programs):
        self.sandbox = programs.sandbox()
        rooms = {room["title"]: room["id"] for room in json.loads(self.control("GET", "rooms"))}
        self.control("POST", "bots", {"name": "app", "service_app": {
            "client_id": "C0ffee", "client_secret": "s3cret", "refresh_token": "first", "expires_in": 3600}})
        for room in ("general", "ops"):
            self.control("PUT", f"rooms/{room}/bots/app")
        (programs.folder / "client-secret").write_text("s3cret")
        (programs.folder / "refresh-token").write_text("first")
        self.config_file = programs.folder / "config.toml"
        config = CONFIG.format(sandbox=self.sandbox, root=ROOT, folder=programs.folder, nowhere=NOWHERE, **rooms)
        self.service = programs.service(config, {"TOKEN": "sandbox", "STORMS": "storms"})
        self.prometheus = programs.prometheus(self.service)
        self.earlier = None

    def control(self, method, path, body=None):
        status, text = call(method, f"{self.sandbox}/control/v1/{path}", body)
        if status >= 300:
            raise Failed(f"the sandbox answered {method} {path} with {status}: {text}")
        return text

    def fault(self, effect, **conditions):
        self.control("POST", "faults", {"effect": effect, **conditions})

    def send(self, receiver, body, path="/alertmanager/"):
        """Sends without waiting for the answer, as Alertmanager does for each of its groups."""
        def post():
            try:
                call("POST", f"http://{self.service}{path}{receiver}", body)
            except OSError:
                pass  # at the end of the run
        threading.Thread(target=post, daemon=True).start()

    def play(self, seconds):
        """An eventful time of so many seconds; at its end Webex still says 429."""
        beginning = time.monotonic()
        for second in range(seconds):
            self.second(second, second / seconds)
            time.sleep(max(0, beginning + second + 1 - time.monotonic()))
        self.fault({"too_many_requests": {"retry_after": 60}})
        for number in range(3):
            self.send("payments", notification(f"Late{number}"))
        self.config_file.write_text(self.config_file.read_text() + "\n[receivers.payments.nonsense]\n")
        call("POST", f"http://{self.service}/-/reload")
        time.sleep(3)

    def second(self, second, share):
        for number in range(1 + second % 3):
            body = notification(f"Errors{second}-{number}", alerts=1 + second % 4)
            self.send("payments", body)
            if self.earlier and second % 4 == 0:
                self.send("payments", self.earlier)
            self.earlier = body
        if second % 2 == 0:
            self.send("checkout", notification("Latency", alerts=1 + second % 5))
            self.send("search", notification("IndexLag", alerts=1 + second % 3))
        if second % 5 == 1:
            self.send("mail", notification(f"Bounces{second}"))
            self.send("cart", notification(f"Checkout{second}"))
            self.send("tenant", notification(f"Tenant{second}", namespace="tenant", room="elsewhere"))
            mixed = notification(f"Mixed{second}", alerts=2, namespace="tenant")
            mixed["alerts"][0]["labels"]["namespace"] = "others"
            self.send("tenant", mixed)
        if second % 7 == 3:
            self.send("nobody", notification("Astray"))
            self.send("payments", b"this is no notification")
        storm = 12 if 0.3 < share < 0.5 else 1
        for number in range(storm):
            self.send("storage", notification(f"Disk{second}-{number}"))
        if second % 11 == 6:
            self.fault({"accept_then_drop": {}}, times=2, bot="sandbox", path="/v1/messages")
        if second % 13 == 8:
            self.fault({"status": {"code": 503, "body": "html"}}, times=4)
        if second % 17 == 9:
            self.fault({"too_many_requests": {"retry_after": 2}}, times=1, bot="storms")
        if second == 2:
            self.fault({"latency": {"ms": 30}})
