"""The closed sets of labels, as they stand in the code.

Rules and dashboard name outcomes, codes and reasons. One that the code does not know would select
nothing, silently and for ever, so all of them are looked up here.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _source():
    return "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.rs")))


def _words(text, pattern, what):
    found = re.search(pattern, text, re.DOTALL)
    if not found:
        raise SystemExit(f"error: {what} is not where tools/monitoring/closed_sets.py looks for it; mend the pattern there")
    words = re.findall(r'"([a-z0-9_]+)"', found.group(1))
    if not words:
        raise SystemExit(f"error: {what} has no words any more; mend the pattern in tools/monitoring/closed_sets.py")
    return frozenset(words)


def outcomes():
    """All reasons of an answer: the label `outcome` of notifications."""
    text = (ROOT / "src/http/answers/reason.rs").read_text()
    return _words(text, r"const fn as_str\(self\) -> &'static str \{(.*?)\n    \}", "`Reason::as_str`")


def labels():
    """By label: what it can be, in whichever metric. A label that is missing here is open."""
    text = _source()
    constant = lambda name: _words(text, rf"const {name}: \[&str; \d+\] =\s*\[(.*?)\]", f"`{name}`")
    kinds = r"impl MessageKind \{.*?const fn as_str\(self\) -> &'static str \{(.*?)\n    \}"
    return {
        "outcome": outcomes() | constant("RENEWALS"),
        "code": constant("CODES"),
        "reason": constant("FALLBACK_REASONS"),
        "kind": _words(text, kinds, "`MessageKind::as_str`"),
    }


def unknown_values(expression, known):
    """What an expression of PromQL demands of closed labels and no metric has."""
    wrong = []
    for label, operator, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', expression):
        if label not in known or "$" in value:
            continue
        parts = value.split("|") if "~" in operator else [value]
        for part in parts:
            if "~" in operator:
                matches = any(re.fullmatch(part, word) for word in known[label])
            else:
                matches = part in known[label]
            if not matches:
                wrong.append(f'{label}="{part}"')
    return wrong
