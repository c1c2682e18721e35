#!/usr/bin/env python3
"""Checks links, anchors and the order of the pages. Asks no network.

    python3 tools/docs/check_links.py

- A link to a file leads to one that git knows, an anchor to a heading. Of an address elsewhere only the form
  is looked at.
- Each page of docs/ stands in docs/README.md, and says in its first lines for whom it is and which page is next.
- A target of `make` that a page names is one, and so is an example or a benchmark that cargo is to run.
"""

import re
import subprocess
import sys
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import pages

CONTENTS = "docs/README.md"
# The line under the title: "*For … Next: [Title](page.md).*", over one or two lines.
FOR_WHOM = re.compile(r"^(?:<!--.*?-->\s*)?# [^\n]+\n\n\*(For [^*]+)\*\n", re.DOTALL)


def known_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=pages.ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")
    files = {name for name in listed if name and (pages.ROOT / name).exists()}
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    return files, folders


def resolve(page, target):
    """The path from the root that a relative link means, or None where it leaves the repository."""
    parts = []
    for part in (PurePosixPath(page).parent / target).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts) or "."


def check_external(target):
    """What is wrong with the form of an address, or None."""
    try:
        address = urlsplit(target)
    except ValueError as error:
        return str(error)
    if address.scheme == "mailto":
        return None if re.fullmatch(r"[^@\s]+@[^@\s]+", address.path) else "is no e-mail address"
    if address.scheme not in ("http", "https"):
        return f"has the scheme `{address.scheme}`; write https, or a path"
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", address.netloc):
        return "names no host"
    return None


def check_link(page, target, read, files, folders):
    """What is wrong with a link, or None."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", target):
        return check_external(target)
    path, _, fragment = target.partition("#")
    if not path and not fragment:
        return "is empty"
    if path.startswith("/"):
        return "begins with a slash; write it from the page's own folder"
    meant = resolve(page, unquote(path)) if path else page
    if meant is None or (meant not in files and meant not in folders):
        return f"leads to {meant or 'a place outside'}, which is not there"
    if fragment:
        if not meant.endswith(".md"):
            return f"has an anchor, but {meant} is no page"
        if unquote(fragment) not in read[meant].anchors:
            return f"leads to `#{fragment}`, but {meant} has no such heading"
    return None


def check_order(read, say):
    """Each page of the book says for whom it is, and leads to the next one."""
    order = []
    contents = read[CONTENTS]
    listed = contents.text.partition("\n## Begin\n")[2]
    for target in re.findall(r"\]\(([^)#]+\.md)\)", listed):
        path = resolve(CONTENTS, target)
        if path not in order:
            order.append(path)
    for name in sorted(read):
        inside = name.startswith("docs/") and name != CONTENTS
        runbook = name.startswith("docs/runbooks/") and name != "docs/runbooks/README.md"
        if inside and not runbook and name not in order:
            say(f"{CONTENTS}: {name} is in no part of the book")
    for name, following in zip(order, order[1:] + [CONTENTS]):
        head = FOR_WHOM.match(read[name].text) if name in read else None
        if name not in read:
            continue  # said as a broken link
        if not head:
            say(f"{name}:3: the line under the title does not say for whom the page is: `*For … Next: […](…).*`")
            continue
        leads = {resolve(name, target) for target in re.findall(r"\]\(([^)#]+)", head.group(1))}
        if following not in leads:
            say(f"{name}:3: the line under the title does not lead to {following}, which is the next page of {CONTENTS}")


def check_targets(read, say):
    """`make NAME` in a page is a target of the Makefile, and what cargo is to run is there."""
    makefile = (pages.ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    for page in read.values():
        for number, line in enumerate(page.text.split("\n"), 1):
            for target in re.findall(r"(?:`|^\s*)make ([a-z][a-z-]*)(?=`|\s*$|\s+[A-Z#])", line):
                if target not in targets:
                    say(f"{page.path}:{number}: `make {target}`: the Makefile has no such target")
            for kind, name in re.findall(r"cargo .*--(example|bench) (\w+)", line):
                folder = {"example": "examples", "bench": "benches"}[kind]
                if not (pages.ROOT / folder / f"{name}.rs").exists():
                    say(f"{page.path}:{number}: there is no {folder}/{name}.rs")


def check(read, files, folders):
    problems = []
    count = 0
    for page in read.values():
        for line, target in page.links:
            count += 1
            wrong = check_link(page.path, target, read, files, folders)
            if wrong:
                problems.append(f"{page.path}:{line}: the link `{target}` {wrong}")
    check_order(read, problems.append)
    check_targets(read, problems.append)
    return problems, count


def main():
    read = {name: pages.read(name) for name in pages.names()}
    problems, count = check(read, *known_files())
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        return 1
    print(f"{len(read)} pages, {count} links: all lead somewhere, and the pages follow each other")
    return 0


if __name__ == "__main__":
    sys.exit(main())
