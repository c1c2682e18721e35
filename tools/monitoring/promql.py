"""Whether queries are PromQL: promtool reads them as recording rules."""

import json
import subprocess
import tempfile

from programs import PROMTOOL


def judge(queries):
    """What promtool says against these queries; nothing where all are PromQL."""
    rules = [f"      - {{ record: r{number}, expr: {json.dumps(query)} }}\n" for number, query in enumerate(queries)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("groups:\n  - name: queries\n    rules:\n" + "".join(rules))
        file.flush()
        judged = subprocess.run([PROMTOOL, "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
    return judged.stdout + judged.stderr if judged.returncode else ""
