#!/usr/bin/env python3
"""Judges the snippets of the documentation by the programs that would read them.

    BINARY=… AMTOOLS="…" PROMTOOL=… [HELM=…] python3 tools/docs/check_snippets.py

| language | judged by |
|---|---|
| toml | `alertmanager-webex check`; what a part of a file lacks is added by complete.py |
| yaml | amtool, promtool or Helm, by what it is: snippets_yaml.py |
| json | Python |
| jinja | `alertmanager-webex render`, with a sample |
| promql | promtool |

Commands of ours within a sentence are not run, but have to be what the binary's command line takes.
A block of another language, or of none, is an error: so nothing is left out by mistake.
"""

import json
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

import complete
import pages
import snippets_yaml
from programs import told

BINARY = os.environ.get("BINARY", "alertmanager-webex")
PROMTOOL = os.environ.get("PROMTOOL", "promtool")
# Judged elsewhere, or nothing to judge.
OTHERS = {
    "sh": "commands: run_commands.py",
    "text": "what a program prints, or a drawing",
    "logql": "queries of Loki, for which there is no program here",
}


def binary(*arguments, variables=()):
    return told([BINARY, *arguments], env={"PATH": os.environ["PATH"], **dict.fromkeys(variables, "value")})


def check_toml(block, page, folder):
    text = complete.configuration(block, folder)
    file = folder / "config.toml"
    file.write_text(text)
    # A shown configuration may read its secrets from variables. As a URL they are judged, as a token not.
    variables = re.findall(r'(?m)^token_env = "(\w+)"', text)
    code, said = binary("check", "--config", str(file), variables=variables)
    if block.mark("refused") is None:
        return said if code else None
    if code == 0:
        return "is marked as refused, but `check` takes it"
    after = next((other for other in page.blocks if other.line > block.line and other.language == "text"), None)
    said = "".join(line + "\n" for line in said.splitlines() if not line.startswith(("warning:", "  hint: `serve`")))
    if after and after.text != said.replace(f"{folder}/", ""):
        return f"is refused in other words than the page shows:\n{said}"
    return None


def check_json(block, _page, _folder):
    """A whole document, or one a line."""
    try:
        json.loads(block.text)
    except ValueError as whole:
        try:
            for line in filter(None, block.text.split("\n")):
                json.loads(line)
        except ValueError:
            return str(whole)
    return None


def check_jinja(block, _page, folder):
    """The configuration gives templates the settings that the pages speak of."""
    is_card = block.text.lstrip().startswith("{\n")
    template = folder / "shown.md"
    template.write_text("{{ status }}\n" if is_card else block.text)
    card = folder / "shown.card.json"
    if is_card:
        card.write_text(block.text)
    config = folder / "render.toml"
    config.write_text(complete.for_templates())
    arguments = ["render", "--config", str(config), "--template", str(template)]
    for sample in ("mixed", "one_resolved", "empty_labels"):
        shown = ["--format", "card"] if is_card else []
        code, said = binary(*arguments, "--sample", sample, *shown, variables=["TOKEN"])
        if code:
            return f"with the sample {sample}: {said}"
    card.unlink(missing_ok=True)
    return None


def check_promql(block, _page, folder):
    queries = re.split(r"\n(?!\s|\)|$)", block.text.strip())
    found = [f"      - {{ record: r{number}, expr: {json.dumps(query)} }}" for number, query in enumerate(queries)]
    file = folder / "queries.yaml"
    file.write_text("groups:\n  - name: shown\n    rules:\n" + "\n".join(found) + "\n")
    code, said = told([PROMTOOL, "check", "rules", "--lint=none", str(file)])
    return said if code else None


def check_yaml(block, page, folder):
    return snippets_yaml.check(block, page, folder)


def check_span(text):
    """`--help` at the end: all before it is judged, and nothing is done. What ends with a full stop is a sentence."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        return str(error)
    if "…" in text or text.endswith(".") or words[0] != "alertmanager-webex":
        return None
    code, said = binary(*words[1:], "--help")
    return said if code else None


JUDGES = {"toml": check_toml, "yaml": check_yaml, "json": check_json, "jinja": check_jinja, "promql": check_promql}


def main():
    problems, counts = [], {}
    for name in pages.names():
        page = pages.read(name)
        for number in page.indented:
            problems.append(f"{name}:{number}: a block of code by indenting names no language; write a fence with one")
        for line, span in page.spans:
            wrong = check_span(span) if span.startswith("alertmanager-webex ") else None
            if wrong:
                problems.append(f"{name}:{line}: `{span}`: {wrong.strip()}")
        for block in page.blocks:
            if block.language in OTHERS:
                continue
            judge = JUDGES.get(block.language)
            if judge is None:
                known = ", ".join(sorted({*JUDGES, *OTHERS}))
                problems.append(f"{block.place}: the block's language is `{block.language}`; write one of {known}")
                continue
            counts[block.language] = counts.get(block.language, 0) + 1
            with tempfile.TemporaryDirectory() as folder:
                wrong = judge(block, page, Path(folder))
            if wrong:
                problems.append(f"{block.place}: {wrong.strip()}")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        return 1
    print("snippets: " + ", ".join(f"{count} {language}" for language, count in sorted(counts.items())))
    for line in snippets_yaml.only_parsed:
        print(f"  only read, since no program here judges it: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
