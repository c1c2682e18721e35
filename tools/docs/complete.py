"""Makes a whole configuration of the part that a page shows.

What a part names and does not define is added, and nothing else: bots, rooms, templates, a receiver. Whatever
the page itself says stays as it is.
"""

import re

ROOM = "Y2lzY29zcGFyazovL3VzL1JPT00vNmZlMmE4YzAtM2IxZC0xMWVmLTlmNmEtNWQwYzdlMWIyYTM0"
# As pages shorten an id.
SHORTENED = re.compile(r"Y2lzY29zcGFyazov[\w/]*…")
BUILT_IN = {"default", "compact", "detailed", "digest", "thread", "fallback"}
TEMPLATES = "/etc/alertmanager-webex/templates"
SETTINGS = '{ runbooks = "https://runbooks.example.org" }'


def configuration(block, folder):
    text = SHORTENED.sub(ROOM, block.text)
    header = block.mark("within")
    if header:
        text = f"{header}\n{text}"
    templates = set(re.findall(r'^template = "([^"]+)"', text, re.MULTILINE)) - BUILT_IN
    if templates or TEMPLATES in text:
        place = folder / "templates"
        place.mkdir(exist_ok=True)
        for name in templates:
            (place / f"{name}.md").write_text("{{ status }}\n")
        if TEMPLATES in text:
            text = text.replace(TEMPLATES, str(place))
        else:
            text += f'\n[templates]\ndirectory = "{place}"\n'
    # What is wrong on purpose is not to be made right.
    if block.mark("refused") is not None:
        return text
    text = _receiver(text)
    text = _rooms(text)
    return _bots(text)


def for_templates():
    return f'[bots.default]\ntoken_env = "TOKEN"\n\n[receivers.default]\nrooms = ["{ROOM}"]\nsettings = {SETTINGS}\n'


def _receiver(text):
    if "[receivers" in text:
        # A table that says nothing of rooms, in a page that is about something else.
        tables = re.split(r"(?m)^(?=\[)", text)
        return "".join(_with_a_room(table) for table in tables)
    return text + f'\n[receivers.default]\nrooms = ["{ROOM}"]\n'


def _with_a_room(table):
    is_receiver = table.startswith("[receivers.")
    goes_somewhere = re.search(r"(?m)^(rooms|people|webhooks) = ", table)
    refuses = 'otherwise = "refuse"' in table
    if not is_receiver or goes_somewhere or refuses:
        return table
    return table.rstrip("\n") + f'\nrooms = ["{ROOM}"]\n\n'


def _rooms(text):
    asked = set()
    for names in re.findall(r"(?m)^(?:rooms|room_from) = (.*)$", text):
        lists = re.findall(r"\[([^\]]*)\]", names)
        asked |= {name for one in lists for name in re.findall(r'"([^"]+)"', one) if len(name) < 40}
    table = re.search(r"(?ms)^\[rooms\]\n(.*?)(?=^\[|\Z)", text)
    defined = set(re.findall(r"(?m)^\"?([\w.-]+)\"? = ", table.group(1))) if table else set()
    fits = lambda name: any(one == name or (name.endswith("*") and one.startswith(name[:-1])) for one in defined)
    lines = "".join(f'"{name.rstrip("*-")}" = "{ROOM}"\n' for name in sorted(asked) if not fits(name))
    if not lines:
        return text
    if table:
        return text.replace("[rooms]\n", f"[rooms]\n{lines}", 1)
    return f"{text}\n[rooms]\n{lines}"


def _bots(text):
    asked = set(re.findall(r'(?m)^bot = "([^"]+)"', text))
    defined = set(re.findall(r"(?m)^\[bots\.([\w-]+)\]", text))
    posts_by_webhook_alone = "[webhooks." in text and not re.search(r"(?m)^(rooms|people) = ", text)
    if not asked and not defined and not posts_by_webhook_alone:
        asked = {"default"}
    for name in sorted(asked - defined):
        text += f'\n[bots.{name}]\ntoken_file = "/run/secrets/webex/token"\n'
    return text
