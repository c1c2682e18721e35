#!/usr/bin/env python3
"""Checks what promtool does not: that each alert has a test, words and a page, and the reverse.

    python3 tools/monitoring/check_alerts.py

Reads chart/monitoring/alerts.yaml, tests/monitoring/, docs/runbooks/ and the code; PROMTOOL is the
program that judges the pages' queries. The rule file is
read line by line, since Python has no YAML of its own; promtool has judged its form before.
"""

import re
import sys

import closed_sets as source
import promql

RULES = source.ROOT / "chart/monitoring/alerts.yaml"
TESTS = source.ROOT / "tests/monitoring"
PAGES = source.ROOT / "docs/runbooks"
# What each page says, in this order.
HEADINGS = ["What it means", "What people notice", "How to look", "What to do", "When it is over"]
# A name that nobody can own stands for where somebody has these files: the chart puts an address in its place, or
# leaves the link out; see docs/observability.md.
BASE = "https://example.org/alertmanager-webex"
URL = BASE + "/docs/runbooks/{}.md"


def rules():
    """By alert: the lines of its rule."""
    found, name = {}, None
    for line in RULES.read_text().splitlines():
        start = re.match(r"      - (alert|record): (\S+)$", line)
        if start:
            name = start.group(2)
            found[name] = []
        if name and not line.lstrip().startswith("#"):
            found[name].append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


def check_rule(name, text, known, say):
    for key in ("severity", "summary", "description", "runbook_url"):
        if not re.search(rf"^ +{key}: ?\S", text, re.MULTILINE):
            say(f"{RULES.name}: {name} has no {key}")
    severity = re.search(r"severity: (\S+)", text)
    if severity and severity.group(1) not in ("critical", "warning", "info"):
        say(f"{RULES.name}: {name} has severity {severity.group(1)}; it is critical, warning or info")
    url = re.search(r"runbook_url: (\S+)", text)
    if url and url.group(1) != URL.format(name):
        say(f"{RULES.name}: the runbook_url of {name} is not {URL.format(name)}")


def check_tests(alerts, say):
    text = "\n".join(path.read_text() for path in sorted(TESTS.glob("alerts*_test.yaml")))
    fires = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", text))
    silent = set(re.findall(r"alertname: (\w+) \}", text))
    for name in sorted(alerts - fires):
        say(f"tests/monitoring: no test says when {name} fires")
    for name in sorted(alerts - silent):
        say(f"tests/monitoring: no test says when {name} does not fire")
    for name in sorted((fires | silent) - alerts):
        say(f"tests/monitoring: a test names {name}, which is no alert")


def check_pages(alerts, say):
    index = (PAGES / "README.md").read_text()
    pages = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    for name in sorted(alerts - pages):
        say(f"docs/runbooks: {name} has no page")
    for name in sorted(pages - alerts):
        say(f"docs/runbooks: {name}.md belongs to no alert")
    for name in sorted(alerts & pages):
        text = (PAGES / f"{name}.md").read_text()
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        if not text.startswith(f"# {name}\n") or headings != HEADINGS:
            say(f"docs/runbooks/{name}.md: its title is to be the alert's name, its headings {', '.join(HEADINGS)}")
        if f"]({name}.md)" not in index:
            say(f"docs/runbooks/README.md does not name {name}")


def check_outcomes(found, alerts, say):
    """Each outcome has a line in the table of the index, and the alert there is the one that counts it."""
    index = (PAGES / "README.md").read_text()
    table = dict(re.findall(r"^\| `([a-z_]+)` \| (.+?) \|$", index, re.MULTILINE))
    outcomes = source.outcomes()
    for outcome in sorted(outcomes - set(table)):
        say(f"docs/runbooks/README.md: the outcome {outcome} is not in the table; which alert tells of it?")
    for outcome in sorted(set(table) - outcomes):
        say(f"docs/runbooks/README.md: no answer has the outcome {outcome}")
    counted = {}
    for name in alerts:
        selectors = re.findall(r'notifications[^{\s]*\{outcome=~?"([^"]+)"', found[name])
        for outcome in "|".join(selectors).split("|"):
            if outcome:
                counted.setdefault(outcome, set()).add(name)
    for outcome, told in sorted(table.items()):
        linked = set(re.findall(r"\]\((\w+)\.md\)", told))
        if len(counted.get(outcome, ())) > 1:
            say(f"{RULES.name}: {outcome} is counted by {', '.join(sorted(counted[outcome]))}; one tells of it")
        if not counted.get(outcome, set()) <= linked:
            say(f"docs/runbooks/README.md: {outcome} is told by {', '.join(counted[outcome])}, but the table says: {told}")


def check_queries(known, say):
    """What the pages tell people to ask is PromQL, and names what there is."""
    queries = []
    for page in sorted(PAGES.glob("*.md")):
        for block in re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL):
            for line in filter(None, block.splitlines()):
                queries.append((page.name, line))
                for wrong in source.unknown_values(line, known):
                    say(f"docs/runbooks/{page.name}: a query asks for {wrong}, which the code does not know")
    wrong = promql.judge(query for _, query in queries)
    if wrong:
        say(f"docs/runbooks: a query is not PromQL: {wrong}")
    return len(queries)


def main():
    problems = []
    say = problems.append
    found = rules()
    known = source.labels()
    alerts = {name for name, text in found.items() if "- alert:" in text}
    for name, text in found.items():
        for wrong in source.unknown_values(text, known):
            say(f"{RULES.name}: {name} asks for {wrong}, which the code does not know")
        if name in alerts:
            check_rule(name, text, known, say)
    check_tests(alerts, say)
    check_pages(alerts, say)
    check_outcomes(found, alerts, say)
    queries = check_queries(known, say)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        return 1
    print(f"{len(alerts)} alerts: each has a test, a page and words; {queries} queries in the pages; labels as in the code")
    return 0


if __name__ == "__main__":
    sys.exit(main())
