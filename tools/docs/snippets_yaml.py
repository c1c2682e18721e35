"""Judges YAML by what it is: a part of Alertmanager's, Prometheus' or the chart's configuration."""

import os
import re

import pages
import yaml
from programs import told

AMTOOLS = os.environ.get("AMTOOLS", "amtool").split()
PROMTOOL = os.environ.get("PROMTOOL", "promtool")
HELM = os.environ.get("HELM", "")
ALERTMANAGER = {"global", "route", "receivers", "inhibit_rules", "templates", "time_intervals"}
# What was read and not judged, for the list at the end.
only_parsed = []


def check(block, _page, folder):
    try:
        data = yaml.safe_load(block.text)
    except yaml.YAMLError as error:
        return str(error)
    kind = block.mark("judged as") or kind_of(data)
    judge = JUDGES.get(kind)
    if judge is None:
        return f"it is not known what this is; say so: `<!-- judged as: {' | '.join(sorted(JUDGES))} -->`"
    return judge(data, block, folder)


def kind_of(data):
    if isinstance(data, list) and all(isinstance(one, dict) for one in data):
        if all("alert" in one or "record" in one for one in data):
            return "rules"
        if all("matchers" in one and "receiver" in one for one in data):
            return "routes"
        if all(set(one) <= {"url", "send_resolved", "http_config", "max_alerts", "timeout"} for one in data):
            return "webhook_configs"
    if isinstance(data, dict):
        if data.get("kind") == "AlertmanagerConfig":
            return "AlertmanagerConfig"
        if "apiVersion" in data:
            return "data"
        if set(data) <= ALERTMANAGER:
            return "alertmanager"
        if "groups" in data:
            return "rules"
        if "scrape_configs" in data:
            return "prometheus"
        if set(data) & _values():
            return "values"
    return None


def _values():
    """The chart's own names, so that a snippet of values is known as such."""
    file = pages.ROOT / "chart/values.yaml"
    return set(yaml.safe_load(file.read_text())) if file.exists() else set()


def check_alertmanager(data, block, folder):
    """What a part lacks is added: a route where there are only receivers, receivers where only routes."""
    whole = dict(data)
    receivers = [one["name"] for one in whole.get("receivers", [])]
    whole.setdefault("route", {"receiver": receivers[0] if receivers else "any"})
    missing = _receivers_of(whole["route"]) - set(receivers)
    whole["receivers"] = whole.get("receivers", []) + [{"name": name} for name in sorted(missing)]
    mails = any("email_configs" in one for one in whole["receivers"])
    if mails:
        whole.setdefault("global", {"smtp_smarthost": "mail.example.org:25", "smtp_from": "alerts@example.org"})
    return _amtool(whole, folder)


def _receivers_of(route):
    found = {route["receiver"]} if "receiver" in route else set()
    for one in route.get("routes", []):
        found |= _receivers_of(one)
    return found


def _amtool(whole, folder):
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(whole))
    for amtool in AMTOOLS:
        code, said = told([amtool, "check-config", str(file)])
        if code:
            return f"{amtool}: {said}"
    return None


def check_routes(data, block, folder):
    return check_alertmanager({"route": {"receiver": "any", "routes": data}}, block, folder)


def check_webhook_configs(data, block, folder):
    return check_alertmanager({"receivers": [{"name": "any", "webhook_configs": data}]}, block, folder)


def check_alertmanager_config(data, block, folder):
    """Translated as prometheus-operator does, with a word in the place of each secret."""
    spec = _snake(data["spec"])
    for receiver in spec.get("receivers", []):
        receiver.pop("namespace", None)
    return check_alertmanager({name: spec[name] for name in ("route", "receivers") if name in spec}, block, folder)


def _snake(value):
    if isinstance(value, list):
        return [_snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) <= {"name", "key", "optional"} and "key" in value:
        return "a-secret"
    if set(value) <= {"name", "value", "matchType"} and "value" in value:
        return f'{value["name"]}{value.get("matchType", "=")}"{value["value"]}"'
    return {_snake_name(name): _snake(one) for name, one in value.items()}


def _snake_name(name):
    name = name.replace("ID", "Id").replace("URL", "Url").replace("CA", "Ca")
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def check_rules(data, _block, folder):
    whole = data if isinstance(data, dict) else {"groups": [{"name": "shown", "rules": data}]}
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump(whole))
    code, said = told([PROMTOOL, "check", "rules", str(file)])
    return said if code else None


def check_prometheus(data, _block, folder):
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(data))
    code, said = told([PROMTOOL, "check", "config", "--syntax-only", str(file)])
    return said if code else None


def check_values(data, block, folder):
    """By the chart's schema and templates. A bot, a room and a receiver are there where the snippet names none."""
    if not HELM:
        raise SystemExit("error: HELM names no program; `make test-docs` builds it")
    whole = dict(data)
    config = dict(whole.get("config") or {})
    if not config.get("bots") and "token" not in whole:
        whole.setdefault("existingSecret", "webex")
    if config.get("bots") and not config.get("receivers"):
        config["receivers"] = {"default": {"people": ["oncall@example.org"]}}
        whole["config"] = config
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(whole))
    code, said = told([HELM, "template", "shown", str(pages.ROOT / "chart"), "--values", str(file)])
    return said if code else None


def check_data(_data, block, _folder):
    only_parsed.append(block.place)


JUDGES = {
    "alertmanager": check_alertmanager,
    "AlertmanagerConfig": check_alertmanager_config,
    "data": check_data,
    "prometheus": check_prometheus,
    "routes": check_routes,
    "rules": check_rules,
    "values": check_values,
    "webhook_configs": check_webhook_configs,
}
