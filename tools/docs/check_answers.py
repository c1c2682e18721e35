#!/usr/bin/env python3
"""Holds the table of docs/answers.md to the table of answers in the code, in both directions.

    python3 tools/docs/check_answers.py
"""

import re
import sys

import pages

CODE = "src/http/answers.rs"
REASONS = "src/http/answers/reason.rs"
PAGE = "docs/answers.md"
STATUS = {
    "OK": 200, "BAD_REQUEST": 400, "UNAUTHORIZED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "METHOD_NOT_ALLOWED": 405,
    "REQUEST_TIMEOUT": 408, "PAYLOAD_TOO_LARGE": 413, "UNSUPPORTED_MEDIA_TYPE": 415, "UNPROCESSABLE_ENTITY": 422,
    "INTERNAL_SERVER_ERROR": 500, "SERVICE_UNAVAILABLE": 503, "Ok": 200, "UnprocessableEntity": 422,
}


def in_code(text):
    """All pairs of reason and status."""
    words = dict(re.findall(r'Self::(\w+) => "(\w+)"', text))
    pairs = set()
    # Where status and reason stand side by side, and where several reasons have one status.
    for status, reason in re.findall(r"S::([A-Z_]+),\s*Reason::(\w+)", text):
        pairs.add((reason, status))
    for reasons, status in re.findall(r"let reason = match(.*?)Self::new\(\s*S::([A-Z_]+),\s*reason", text, re.DOTALL):
        pairs |= {(reason, status) for reason in re.findall(r"Reason::(\w+)", reasons)}
    for status, reason in re.findall(r"HttpResponse::(\w+)\(\)\.json\(Reloaded \{.*?Reason::(\w+)", text, re.DOTALL):
        pairs.add((reason, status))
    found = {(words[reason], STATUS[status]) for reason, status in pairs}
    without = set(words.values()) - {reason for reason, _ in found}
    if without:
        raise SystemExit(f"error: {PAGE}: of {', '.join(sorted(without))} {CODE} tells no status that tools/docs/check_answers.py can read")
    return found


def in_page(text):
    return {(reason, int(status)) for reason, status in re.findall(r"(?m)^\| `(\w+)` \| (\d{3}) \|", text)}


def check(code, page):
    found, shown = in_code(code), in_page(page)
    problems = [f"{PAGE} lacks `{reason}` with {status}" for reason, status in sorted(found - shown)]
    problems += [f"{PAGE} has `{reason}` with {status}, and {CODE} has not" for reason, status in sorted(shown - found)]
    return problems


def main():
    page = (pages.ROOT / PAGE).read_text()
    problems = check("".join((pages.ROOT / file).read_text() for file in (CODE, REASONS)), page)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        return 1
    print(f"{PAGE}: {len(in_page(page))} answers, as in the code")
    return 0


if __name__ == "__main__":
    sys.exit(main())
