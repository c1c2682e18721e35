"""Reads Markdown as far as the checks need it: headings, links, blocks of code and marks.

A mark is a comment directly before a block, and says what is to be done with it:

    <!-- not run: needs a cluster -->     commands that no test can run, with the reason
    <!-- prints: outside,webex -->        what the commands of the block print, among other things
    <!-- fails: 1 -->                     the exit code with which the block ends
    <!-- judged as: route -->             what a snippet is, where it does not show
    <!-- within: [receivers.default] -->  the table that a TOML snippet belongs into
    <!-- refused -->                      a configuration that `check` refuses
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Markdown that is no page: templates of messages.
NO_PAGES = re.compile(r"(^|/)(templates|broken)/")
FENCE = re.compile(r"^([ >]*?)(```+|~~~+)\s*([^`]*)$")
MARK = re.compile(r"^\s*<!-- (not run|prints|fails|judged as|within|refused)(?:: (.*?))? -->\s*$")


@dataclass
class Block:
    """A fenced block of code. `line` is that of its first line of text, counted from 1."""

    page: str
    line: int
    language: str
    text: str
    marks: list = field(default_factory=list)

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    def mark(self, name):
        """What a mark says, "" where it says nothing, None where there is none."""
        return next((value for mark, value in self.marks if mark == name), None)

    def all_marks(self, name):
        return [value for mark, value in self.marks if mark == name]


@dataclass
class Page:
    path: str
    anchors: set
    links: list  # (line, target)
    blocks: list
    indented: list  # lines of code blocks that are made by indenting
    spans: list  # (line, code within a sentence)
    text: str


def names():
    """The pages of the repository, by path from its root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")
    return sorted({name for name in listed if name and not NO_PAGES.search(name) and (ROOT / name).exists()})


def read(name, text=None):
    text = (ROOT / name).read_text() if text is None else text
    page = Page(name, set(), [], [], [], [], text)
    block, fence, marks = None, "", []
    prose = []  # (line number, text without code)
    previous = ""
    in_list = False
    for number, line in enumerate(text.split("\n"), 1):
        opened = FENCE.match(line)
        if block is not None:
            if opened and opened.group(2).startswith(fence) and not opened.group(3):
                block.text = _without_indent(block.text)
                page.blocks.append(block)
                block = None
            else:
                block.text += line + "\n"
            previous = line
            continue
        if opened:
            fence = opened.group(2)
            words = opened.group(3).split()
            block = Block(name, number + 1, words[0] if words else "", "", marks)
            marks = []
            prose.append((number, ""))
            continue
        mark = MARK.match(line)
        if mark:
            marks.append((mark.group(1), mark.group(2) or ""))
            prose.append((number, ""))
            continue
        if line.strip():
            marks = []
            if re.match(r"\s*([-*+]|\d+[.)])\s", line):
                in_list = True
            elif not line.startswith(" "):
                in_list = False
        if re.match(r" {4,}\S", line) and not previous.strip() and not in_list:
            page.indented.append(number)
        prose.append((number, line))
        previous = line
    if block is not None:
        raise SystemExit(f"error: {block.place}: the block of code does not end")
    _headings(page, prose)
    _links(page, prose)
    return page


def _without_indent(text):
    """A block within a list is indented as the list is."""
    lines = text.split("\n")
    indents = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    least = min(indents, default=0)
    return "\n".join(line[least:] for line in lines)


def anchor(heading):
    """What GitHub makes of a heading."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    heading = heading.replace("`", "").replace("*", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def _headings(page, prose):
    for _, line in prose:
        heading = re.match(r"#{1,6} (.+?)\s*#*$", line)
        named = re.findall(r'<a (?:id|name)="([^"]+)"', line)
        page.anchors.update(named)
        if not heading:
            continue
        wanted = made = anchor(heading.group(1))
        number = 0
        while made in page.anchors:
            number += 1
            made = f"{wanted}-{number}"
        page.anchors.add(made)


def _links(page, prose):
    """Links may go over a line's end, and code may hold what looks like one."""
    starts, whole = [], ""
    for number, line in prose:
        starts.append((len(whole), number))
        whole += line + "\n"
    # A run of backticks up to the same run; a blank line ends what may be code.
    code = re.compile(r"(?<!`)(`+)(?!`)((?:(?!\n\n).)+?)(?<!`)\1(?!`)", re.DOTALL)
    for found in code.finditer(whole):
        line = max(number for start, number in starts if start <= found.start())
        page.spans.append((line, " ".join(found.group(2).split())))
    whole = code.sub(lambda found: re.sub(r"[^\n]", "x", found.group(0)), whole)
    whole = re.sub(r"<!--.*?-->", lambda found: re.sub(r"[^\n]", " ", found.group(0)), whole, flags=re.DOTALL)
    inline = re.compile(r"\]\(\s*<?((?:[^()\s<>]|\([^()\s]*\))*)>?(?:\s+\"[^\"]*\")?\s*\)")
    patterns = [inline, re.compile(r"^\s*\[[^\]^]+\]:\s*(\S+)", re.MULTILINE), re.compile(r"<(https?:[^>]*)>")]
    for pattern in patterns:
        for found in pattern.finditer(whole):
            line = max(number for start, number in starts if start <= found.start())
            page.links.append((line, found.group(1)))
