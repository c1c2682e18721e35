"""The checks of the documentation find what is wrong: each is shown a fault and has to name it.

    python3 tools/docs/test_docs.py
"""

import tempfile
import unittest
from pathlib import Path

import beside
import check_answers
import check_links
import complete
import pages
import run_commands
import scenes


def page(text, name="docs/page.md"):
    return pages.read(name, text)


def block(text, language="toml", marks=()):
    return pages.Block("docs/page.md", 2, language, text, list(marks))


class Reading(unittest.TestCase):
    def test_blocks_have_a_language_a_line_and_marks(self):
        read = page("# T\n\n<!-- prints: a, b -->\n```sh\necho a, b\n```\n\n- item\n\n  ```toml\n  a = 1\n  ```\n")
        self.assertEqual([(one.language, one.line, one.text) for one in read.blocks], [("sh", 5, "echo a, b\n"), ("toml", 11, "a = 1\n")])
        self.assertEqual(read.blocks[0].mark("prints"), "a, b")
        self.assertIsNone(read.blocks[1].mark("prints"))

    def test_a_mark_belongs_to_the_block_that_follows_at_once(self):
        read = page("<!-- refused -->\nA sentence.\n\n```toml\na = 1\n```\n")
        self.assertIsNone(read.blocks[0].mark("refused"))

    def test_code_by_indenting_is_seen_and_a_list_is_not_that(self):
        self.assertEqual(page("Text:\n\n    make test\n").indented, [3])
        self.assertEqual(page("- Text:\n\n    more of it\n").indented, [])

    def test_anchors_are_those_of_github(self):
        read = page("# The `[bots.NAME]` table\n\n## What, when?\n\n## What, when?\n")
        self.assertEqual(read.anchors, {"the-botsname-table", "what-when", "what-when-1"})

    def test_links_in_code_are_no_links(self):
        read = page("`[a](b)` and ``[c](`d`)`` and [e](f\n) and [a `b`](c) <https://x.org/> ![p](q.png)\n")
        self.assertEqual(sorted(target for _, target in read.links), ["c", "f", "https://x.org/", "q.png"])

    def test_code_within_a_sentence_is_known_by_its_line(self):
        self.assertEqual(page("a\nb `c\nd` ``e`f``\n").spans, [(2, "c d"), (3, "e`f")])

    def test_a_block_that_does_not_end_is_an_error(self):
        with self.assertRaises(SystemExit):
            page("```sh\necho\n")


class Links(unittest.TestCase):
    def wrong(self, target, name="docs/page.md"):
        read = {name: page("# A title\n", name), "docs/other.md": page("# Other\n", "docs/other.md")}
        return check_links.check_link(name, target, read, {*read, "src/main.rs"}, {".", "docs", "src"})

    def test_what_is_there_is_no_problem(self):
        for target in ("#a-title", "other.md", "other.md#other", "../src/main.rs", "../src", "https://example.org/a?b#c", "mailto:a@b.c"):
            self.assertIsNone(self.wrong(target), target)

    def test_what_is_not_there_is_one(self):
        for target in ("#no", "nothing.md", "other.md#no", "../../x", "/docs/other.md", "../src/main.rs#a", "https:///x", "ftp://x.org", "javascript:a", ""):
            self.assertIsNotNone(self.wrong(target), target)

    def order(self, first, extra=""):
        contents = "# The book\n\n## Begin\n\n1. [A](a.md)\n2. [B](b.md)\n"
        read = {
            "docs/README.md": page(contents, "docs/README.md"),
            "docs/a.md": page(first, "docs/a.md"),
            "docs/b.md": page("# B\n\n*For all. Back to [the book](README.md).*\n", "docs/b.md"),
        }
        if extra:
            read[extra] = page("# C\n", extra)
        said = []
        check_links.check_order(read, said.append)
        return said

    def test_pages_say_for_whom_they_are_and_what_is_next(self):
        self.assertEqual(self.order("# A\n\n*For all. Next: [B](b.md).*\n"), [])
        self.assertIn("for whom", self.order("# A\n\nText.\n")[0])
        self.assertIn("does not lead to docs/b.md", self.order("# A\n\n*For all. Next: [A](a.md).*\n")[0])
        self.assertIn("in no part", self.order("# A\n\n*For all. Next: [B](b.md).*\n", extra="docs/c.md")[0])

    def test_targets_of_make_exist(self):
        said = []
        text = "Run `make lint`, not `make sandwich`.\n\n```sh\ncargo run --example storm\ncargo bench --bench tea\n```\n"
        check_links.check_targets({"x": page(text, "x")}, said.append)
        self.assertEqual(len(said), 2)
        self.assertIn("benches/tea.rs", said[1])
        self.assertIn("sandwich", said[0])


class Answers(unittest.TestCase):
    CODE = 'Self::Good => "good", Self::Bad => "bad" (S::OK, Reason::Good) let reason = match x { Reason::Bad } Self::new(S::FORBIDDEN, reason)'

    def test_what_page_and_code_say_differently_is_told(self):
        right = "| `good` | 200 | x |\n| `bad` | 403 | x |\n"
        self.assertEqual(check_answers.check(self.CODE, right), [])
        self.assertEqual(len(check_answers.check(self.CODE, right.replace("403", "404"))), 2)
        self.assertEqual(len(check_answers.check(self.CODE, right[:20])), 1)
        with self.assertRaises(SystemExit):
            check_answers.check(self.CODE.replace("S::OK", "what"), right)


class Configurations(unittest.TestCase):
    def whole(self, text, *marks):
        with tempfile.TemporaryDirectory() as folder:
            return complete.configuration(block(text, marks=marks), Path(folder))

    def test_what_is_named_is_added_and_what_is_there_stays(self):
        text = self.whole('[receivers.a]\nbot = "b"\nrooms = ["c"]\n')
        for wanted in ("[bots.b]", "[rooms]", '"c" = '):
            self.assertEqual(text.count(wanted), 1, wanted)
        self.assertEqual(self.whole(text), text)

    def test_a_part_stands_within_its_table(self):
        self.assertTrue(self.whole("dry_run = true\n", ("within", "[receivers.a]")).startswith("[receivers.a]\ndry_run"))

    def test_what_is_wrong_on_purpose_stays_wrong(self):
        self.assertEqual(self.whole("[servr]\n", ("refused", "")), "[servr]\n")


class Commands(unittest.TestCase):
    def test_what_is_not_run_has_a_reason(self):
        for text in ("kubectl get pods\n", "a | kubectl apply -f -\n", "cargo build\n", "make test\n", "x=$(kubectl get x)\n"):
            self.assertTrue(run_commands.why_not(block(text, "sh")), text)
        for text in ("alertmanager-webex check\n", "cargo run -- dev\n", "echo kubectl\n"):
            self.assertIsNone(run_commands.why_not(block(text, "sh")), text)
        self.assertEqual(run_commands.why_not(block("ls\n", "sh", [("not run", "needs luck")])), "needs luck")

    def test_a_placeholder_is_not_run(self):
        said = run_commands.run(page("# T\n"), [block("echo TOKEN=…\n", "sh")])
        self.assertIn("TOKEN=…", said[0])

    def test_commands_that_bash_cannot_read_are_told(self):
        self.assertTrue(run_commands.parse(block("if true; then\n", "sh")))

    def test_what_is_printed_is_told_by_block(self):
        self.assertEqual(run_commands.by_block("x\n@@ 0\na\n@@ 1\nb\n@@ end\n"), {"0": "a\n", "1": "b\n", "end": ""})


class Servers(unittest.TestCase):
    def setUp(self):
        beside.os.environ.update(SERVICE_PORT="1", SANDBOX_PORT="2")

    def test_servers_are_known_and_get_free_ports(self):
        self.assertEqual(beside.addresses("x", ["serve"]), (["serve"], "1"))
        self.assertEqual(beside.addresses("x", ["sandbox"]), (["sandbox", "--listen", "127.0.0.1:2"], "2"))
        self.assertEqual(beside.addresses("x", ["check"])[1], None)
        self.assertEqual(beside.addresses("/a/alertmanager", ["--web.listen-address=127.0.0.1:3"])[1], "3")


class Scenes(unittest.TestCase):
    def test_every_page_that_has_a_scene_is_there(self):
        self.assertLessEqual(set(scenes.BEFORE), set(pages.names()))


if __name__ == "__main__":
    unittest.main()
