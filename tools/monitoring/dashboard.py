#!/usr/bin/env python3
"""Writes chart/monitoring/dashboard.json, the dashboard for Grafana.

    python3 tools/monitoring/dashboard.py             # writes it
    python3 tools/monitoring/dashboard.py --check     # says whether it is up to date

What is on the dashboard is in panels.py, a line or two for each panel. Here is what Grafana wants
around it: ids, places on the grid of 24 columns, units, thresholds, variables.
"""

import json
import sys

import closed_sets
from panels import ROWS, VARIABLES

FILE = closed_sets.ROOT / "chart/monitoring/dashboard.json"
COLUMNS = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def thresholds(warn, bad):
    steps = [{"color": "green", "value": None}]
    if warn is not None:
        steps.append({"color": "orange", "value": warn})
    if bad is not None:
        steps.append({"color": "red", "value": bad})
    return {"mode": "absolute", "steps": steps}


def timeseries(panel, defaults):
    defaults["min"] = 0
    defaults["custom"] = {
        "drawStyle": "line", "lineWidth": 1, "fillOpacity": 25 if panel.get("stack") else 8,
        "showPoints": "never", "spanNulls": False,
        "stacking": {"mode": "normal" if panel.get("stack") else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if "bad" in panel else "off"},
    }
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def stat(panel, defaults):
    defaults["noValue"] = "–"
    if "words" in panel:
        options = {str(value): {"text": text, "color": color, "index": index}
                   for index, (value, (text, color)) in enumerate(panel["words"].items())}
        defaults["mappings"] = [{"type": "value", "options": options}]
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value", "graphMode": "area" if panel.get("spark") else "none",
        "justifyMode": "auto", "orientation": "auto",
        "textMode": "name" if panel.get("name") else "value",
    }


def table(panel, defaults):
    defaults["noValue"] = "–"
    defaults["custom"] = {"align": "auto", "cellOptions": {"type": "color-text" if "bad" in panel else "auto"}}
    return {"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": panel["columns"]["Value"], "desc": True}]}


FORMS = {"timeseries": timeseries, "stat": stat, "table": table}


def build_panel(panel, number, place):
    defaults = {
        "unit": panel["unit"], "mappings": [],
        "color": {"mode": "palette-classic" if panel["form"] == "timeseries" else "thresholds"},
        "thresholds": thresholds(panel.get("warn"), panel.get("bad")),
    }
    if "decimals" in panel:
        defaults["decimals"] = panel["decimals"]
    options = FORMS[panel["form"]](panel, defaults)
    targets = []
    for index, (expression, legend) in enumerate(panel["queries"]):
        target = {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": expression,
                  "legendFormat": legend, "editorMode": "code", "range": True, "instant": False}
        if panel["form"] != "timeseries":
            target |= {"range": bool(panel.get("spark")), "instant": not panel.get("spark")}
        if panel["form"] == "table":
            target["format"] = "table"
        targets.append(target)
    built = {
        "id": number, "type": panel["form"], "title": panel["title"], "description": panel["description"],
        "datasource": SOURCE, "gridPos": place, "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options, "targets": targets,
    }
    if panel["form"] == "table":
        built["transformations"] = [{"id": "organize", "options": {
            "excludeByName": {"Time": True}, "renameByName": panel["columns"],
        }}]
    return built


def build_panels():
    panels, top = [], 0
    for title, description, row in ROWS:
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "description": description,
                       "collapsed": False, "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top}, "panels": []})
        top, left, tallest = top + 1, 0, 0
        for panel in row:
            width, height = panel["size"]
            if left + width > COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            place = {"h": height, "w": width, "x": left, "y": top}
            panels.append(build_panel(panel, len(panels) + 1, place))
            left, tallest = left + width, max(tallest, height)
        top += tallest
    return panels


def build_variables():
    variables = [{
        "name": "datasource", "label": "Data source", "description": "The Prometheus that scrapes alertmanager-webex",
        "type": "datasource", "query": "prometheus", "regex": "", "hide": 0, "includeAll": False, "multi": False,
        "refresh": 1, "options": [], "current": {},
    }]
    for name, label, description, query in VARIABLES:
        variables.append({
            "name": name, "label": label, "description": description, "type": "query", "datasource": SOURCE,
            "definition": query, "query": {"query": query, "refId": f"variable-{name}", "qryType": 1},
            "regex": "", "hide": 0, "includeAll": True, "multi": True, "allValue": ".*", "refresh": 2, "sort": 5,
            "options": [], "current": {"text": ["All"], "value": ["$__all"]},
        })
    return variables


def build():
    return {
        "uid": "alertmanager-webex", "title": "alertmanager-webex",
        "description": "What becomes of Alertmanager's notifications on their way to Webex. Made by tools/monitoring/dashboard.py.",
        "tags": ["alertmanager", "webex"], "schemaVersion": 41, "version": 1, "editable": True, "graphTooltip": 1,
        "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "timezone": "browser", "weekStart": "",
        "fiscalYearStartMonth": 0, "liveNow": False, "timepicker": {}, "links": [], "annotations": {"list": []},
        "templating": {"list": build_variables()}, "panels": build_panels(),
    }


def main():
    text = json.dumps(build(), indent=2, ensure_ascii=False) + "\n"
    if sys.argv[1:] == ["--check"]:
        if not FILE.exists() or FILE.read_text() != text:
            print("error: chart/monitoring/dashboard.json is not what tools/monitoring/panels.py says; run `make dashboard`", file=sys.stderr)
            return 1
        return 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    FILE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
