#!/usr/bin/env python3
"""Checks the dashboard: its form, and that each of its queries returns what it is to show.

    python3 tools/monitoring/check_dashboard.py --lint              # only the form; starts nothing
    python3 tools/monitoring/check_dashboard.py                     # plays a run to a real Prometheus as well
    python3 tools/monitoring/check_dashboard.py --seconds 120 --record FILE    # and keeps what was answered, for a picture

The programs are BINARY (target/debug/alertmanager-webex), PROMETHEUS and PROMTOOL. Everything is on
the loopback, at free ports, and ends with this.
"""

import argparse
import json
import math
import re
import sys
import time
import urllib.parse

import closed_sets
import lint_dashboard
from programs import Failed, Programs, call
from run import Run

# What Grafana puts in for 1 s between scrapes, and for the time shown.
RATE_SECONDS = 10


def ask(api, path, **parameters):
    status, text = call("GET", f"{api}/{path}?{urllib.parse.urlencode(parameters)}")
    answer = json.loads(text)
    if status != 200:
        raise Failed(f"{answer.get('error')}: {parameters}")
    return answer["data"]


def fill_in(query, shown_seconds, values):
    """The query as Grafana would send it."""
    query = query.replace("$__rate_interval", f"{RATE_SECONDS}s").replace("$__range", f"{shown_seconds}s")
    for name, value in values.items():
        query = re.sub(rf"\${name}\b", value, query)
    return query


def label_values(api, query, values, start, end):
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    selector, label = fill_in(found.group(1), 0, values), found.group(2)
    return ask(api, f"label/{label}/values", **{"match[]": selector, "start": start, "end": end})


def results(api, panel, target, start, end, values):
    """The series of one query, as a matrix."""
    query = fill_in(target["expr"], max(1, round(end - start)), values)
    if target["instant"]:
        data = ask(api, "query", query=query, time=end)
        return [{"metric": one["metric"], "values": [one["value"]]} for one in data["result"]]
    return ask(api, "query_range", query=query, start=start, end=end, step=max(1, round((end - start) / 250)))["result"]


def says_something(series):
    """Whether there is a number other than zero: in this run, there is for each query."""
    numbers = (float(value) for one in series for _, value in one["values"])
    return any(math.isfinite(number) and number != 0 for number in numbers)


def check_queries(dashboard, api, start, end):
    problems, answers = [], {}
    everything = {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found = label_values(api, variable["definition"], everything, start, end)
            if not found:
                problems.append(f"variable {variable['name']}: {variable['definition']} returns nothing")
            everything[variable["name"]] = variable["allValue"]
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            series = results(api, panel, target, start, end, everything)
            answers[f"{panel['id']}{target['refId']}"] = series
            meant = panel["title"] not in ("Configuration", "Version")
            if not series or (meant and not says_something(series)):
                problems.append(f"panel `{panel['title']}`: nothing is to be seen of {target['expr']}")
    return problems, answers


def check_rules(api):
    """Prometheus could compute every rule, and noticed what had been made to fail."""
    problems, firing = [], set()
    for group in ask(api, "rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                problems.append(f"rule {rule['name']}: {rule['health']} {rule.get('lastError', '')}")
            if rule["type"] == "alerting" and rule["alerts"]:
                firing.add(rule["name"])
    expected = {f"AlertmanagerWebex{name}" for name in ("NotificationsFailing", "RequestsRejected", "FallbacksInUse", "ReloadFailed")}
    for name in sorted(expected - firing):
        problems.append(f"{name} did not notice what was made to fail")
    if "AlertmanagerWebexDown" in firing:
        problems.append("AlertmanagerWebexDown fired, although the service ran")
    return problems


def check_names(api):
    """Rules and runbooks ask for metrics that the service has."""
    known = set(ask(api, "label/__name__/values"))
    files = [closed_sets.ROOT / "chart/monitoring/alerts.yaml", closed_sets.ROOT / "examples/watchdog/rules.yaml"]
    files += sorted((closed_sets.ROOT / "docs/runbooks").glob("*.md"))
    problems = []
    for file in files:
        text = file.read_text()
        asked = "\n".join(re.findall(r"```promql\n(.*?)```", text, re.DOTALL)) if file.suffix == ".md" else text
        for name in sorted(set(re.findall(r"(?<!:)\b(?:alertmanager_webex|process)_\w+\b(?!:)", asked)) - known):
            problems.append(f"{file.relative_to(closed_sets.ROOT)} asks for {name}, which the service does not have")
    return problems


def play(dashboard, seconds, record):
    with Programs() as programs:
        run = Run(programs)
        start = time.time()
        print(f"    … {seconds} s of notifications, scraped each second", flush=True)
        run.play(seconds)
        end = time.time()
        problems, answers = check_queries(dashboard, run.prometheus, start, end)
        problems += check_rules(run.prometheus) + check_names(run.prometheus)
        if record:
            with open(record, "w") as file:
                json.dump({"start": start, "end": end, "answers": answers}, file)
    return problems, len(answers)


def main():
    parser = argparse.ArgumentParser(description="Checks the dashboard.")
    parser.add_argument("--lint", action="store_true", help="only the form; starts nothing")
    parser.add_argument("--seconds", type=int, default=24, help="how long the run is")
    parser.add_argument("--record", metavar="FILE", help="keep what Prometheus answered")
    arguments = parser.parse_args()
    dashboard = json.loads((closed_sets.ROOT / "chart/monitoring/dashboard.json").read_text())
    asked = 0
    try:
        problems = lint_dashboard.lint(dashboard)
        if not problems and not arguments.lint:
            problems, asked = play(dashboard, arguments.seconds, arguments.record)
    except Failed as failed:
        problems = [str(failed)]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        return 1
    panels = sum(panel["type"] != "row" for panel in dashboard["panels"])
    print(f"{panels} panels are well formed" + (f", and {asked} queries returned data from a real run" if asked else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
