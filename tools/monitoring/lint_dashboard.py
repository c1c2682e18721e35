"""The form of the dashboard: what Grafana does not complain about, and people do."""

import json
import re

import closed_sets
import promql

COLUMNS = 24
# What Grafana has values for by itself.
BUILT_IN = {"__rate_interval", "__range", "__interval"}


def named(text):
    """The variables that a text uses."""
    return set(re.findall(r"\$\{?(\w+)", text))


def lint(dashboard):
    problems = []
    say = problems.append
    panels = dashboard["panels"]
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    numbers = [panel["id"] for panel in panels]
    if len(set(numbers)) != len(numbers):
        say("two panels have the same id")
    titles = [panel["title"] for panel in panels if panel["type"] != "row"]
    for title in {title for title in titles if titles.count(title) > 1}:
        say(f"two panels are called `{title}`")
    lint_grid(panels, say)
    used = set()
    known = closed_sets.labels()
    queries = []
    for panel in panels:
        if panel["type"] == "row":
            continue
        lint_panel(panel, say)
        for target in panel.get("targets", []):
            used |= named(target["expr"]) | named(target["datasource"]["uid"])
            queries.append((panel["title"], target["expr"]))
            for wrong in closed_sets.unknown_values(target["expr"], known):
                say(f"panel `{panel['title']}` asks for {wrong}, which the code does not know")
    for variable in dashboard["templating"]["list"]:
        used |= named(json.dumps(variable.get("query", ""))) | named(json.dumps(variable.get("datasource", "")))
        for key in ("label", "description"):
            if not variable.get(key):
                say(f"variable `{variable['name']}` has no {key}")
    for name in sorted(variables - used):
        say(f"variable `{name}` is used nowhere")
    for name in sorted(used - variables - BUILT_IN):
        say(f"${name} is used, and no variable has this name")
    lint_queries(queries, say)
    return problems


def lint_panel(panel, say):
    title = panel["title"]
    for key in ("title", "description"):
        if not panel.get(key, "").strip():
            say(f"panel {panel['id']} (`{title}`) has no {key}")
    if not panel["fieldConfig"]["defaults"].get("unit"):
        say(f"panel `{title}` has no unit")
    if not panel.get("targets"):
        say(f"panel `{title}` asks for nothing")
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    if any(source["uid"] != "${datasource}" for source in sources):
        say(f"panel `{title}` does not take the data source of the variable")
    references = [target["refId"] for target in panel["targets"]]
    if len(set(references)) != len(references):
        say(f"panel `{title}` has two queries of the same name")


def lint_grid(panels, say):
    taken = {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] < 0 or place["w"] < 1 or place["x"] + place["w"] > COLUMNS:
            say(f"panel `{panel['title']}` sticks out of the {COLUMNS} columns")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"]:
                    say(f"panel `{panel['title']}` overlaps with `{other}`")
                    return


def lint_queries(queries, say):
    """Each is PromQL, with Grafana's variables filled in."""
    filled = (re.sub(r"\$\w+", ".*", re.sub(r"\$__\w+", "5m", query)) for _, query in queries)
    wrong = promql.judge(filled)
    if wrong:
        say(f"a query is not PromQL: {wrong}")
