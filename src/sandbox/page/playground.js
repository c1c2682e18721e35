// The playground: write a template at the left, see at the right what a notification becomes.
//
// Nothing is stored but in this tab, by sessionStorage, so that a reload loses no work. The
// server renders; it writes nothing either.

import { Editor } from "./editor.js";
import { FORMS, roomsOf, showParts, showSent } from "./result.js";
import { button, call, count, field, make, select, showError } from "./ui.js";

/** After so long without a key the template is rendered. */
const PAUSE_MS = 200;
const STORED = "playground";
const PASTED = "(pasted)";
const WIDTHS = [["desktop", "Desktop"], ["phone", "Phone"]];

/** What a person has chosen and written. */
let work = null;
let app = null;
let parts = null;
let editor = null;
let templates = [];
let samples = [];
let receivers = [];
let timer = null;
let asked = null;
let rendered = null;
/** The parts of the last template that could be used. */
let lastGood = null;
/** What another template took the place of, if it was changed. */
let replaced = null;
let isMounted = false;

export async function mount(element, theApp) {
  app = theApp;
  isMounted = true;
  rendered = null;
  lastGood = null;
  replaced = null;
  parts = frame();
  element.append(parts.page);
  try {
    [templates, samples, receivers] = await Promise.all(["templates", "samples", "receivers"].map((list) => call(`/dev/v1/${list}`)));
  } catch (error) {
    if (isMounted) showError(parts.failure, error);
    return;
  }
  if (!isMounted) return;
  work = stored() ?? begin(receivers[0]?.template ?? "default");
  fill();
  render();
}

export function unmount() {
  isMounted = false;
  clearTimeout(timer);
  asked?.abort();
}

/** What to begin with: a template as it is, and one alert. */
function begin(name) {
  const found = templates.find((template) => template.name === name && template.markdown) ?? templates.find((template) => template.markdown);
  return {
    from: found?.name ?? "", name: found?.name ?? "mine", markdown: found?.markdown ?? "", card: found?.card ?? "",
    file: "markdown", receiver: receivers[0]?.name ?? "", sample: samples[0]?.name ?? PASTED, pasted: "", form: "message", width: "desktop",
  };
}

function stored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(STORED));
    return typeof found?.markdown === "string" && typeof found.card === "string" && typeof found.pasted === "string" ? found : null;
  } catch {
    return null;
  }
}

function store() {
  try {
    sessionStorage.setItem(STORED, JSON.stringify(work));
  } catch {
    // Too large or forbidden: then a reload begins anew.
  }
}

// The page.

function frame() {
  const made = {
    from: select([]), name: make("input", { type: "text", maxlength: "60", spellcheck: "false", autocomplete: "off" }),
    receiver: select([]), sample: select([]),
    files: make("div", { class: "segments", role: "group", "aria-label": "What to edit" }),
    forms: make("div", { class: "segments", role: "group", "aria-label": "How to show the result" }),
    widths: make("div", { class: "segments widths", role: "group", "aria-label": "Width" }),
    problems: make("ul", { class: "problems" }),
    status: make("p", { class: "hint", role: "status" }),
    failure: make("p", { hidden: true }),
    result: make("div", { class: "result" }),
    sent: make("div", { class: "sent", role: "status", hidden: true }),
  };
  editor = new Editor("Template", edited);
  made.use = button("Use this template", use);
  made.undo = button("Bring back what I wrote", undo, { class: "button small quiet", hidden: true });
  made.send = button("Send", send, { class: "button primary" });
  for (const [control, act] of [[made.from, startFrom], [made.receiver, choose("receiver")], [made.sample, chooseSample]]) control.addEventListener("change", act);
  made.name.addEventListener("input", () => change({ name: made.name.value.trim() }));
  made.page = make("div", { class: "playground-page" },
    make("header", { class: "page-head" }, make("h2", { text: "Playground" }),
      make("p", { text: "Write a template and see what a notification becomes. Nothing is posted until you send it, and nothing is written to disk." })),
    make("div", { class: "bar" },
      field("Start from", made.from), field("Name", made.name), field("Notification", made.sample), field("Receiver", made.receiver),
      make("div", { class: "bar-actions" }, made.use, made.send)),
    made.failure, made.sent,
    make("div", { class: "halves" },
      make("section", { class: "half", "aria-label": "Template" }, make("div", { class: "half-head" }, made.files, made.undo), editor.element,
        make("p", { class: "hint", id: "editor-hint", text: "Tab indents. Escape, then Tab, leaves the editor." }), made.problems),
      make("section", { class: "half", "aria-label": "Result" }, make("div", { class: "half-head" }, made.forms, made.widths), made.status, made.result)));
  return made;
}

/** Puts the choices into their controls. */
function fill() {
  const options = (control, choices, value) => {
    control.replaceChildren(...choices.map(([key, text]) => make("option", { value: key, text })));
    control.value = value;
  };
  options(parts.from, templates.filter((template) => template.markdown).map(({ name, built_in }) => [name, built_in ? name : `${name} (yours)`]), work.from);
  options(parts.receiver, receivers.map((receiver) => [receiver.name, `${receiver.name} → ${roomsOf(app, receiver)}`]), work.receiver);
  if (parts.receiver.selectedIndex < 0) parts.receiver.value = work.receiver = receivers[0]?.name ?? "";
  options(parts.sample, [...samples.map(({ name, shows }) => [name, `${name}: ${shows}`]), [PASTED, "Pasted JSON"]], work.sample);
  if (parts.sample.selectedIndex < 0) parts.sample.value = work.sample = samples[0]?.name ?? PASTED;
  parts.name.value = work.name;
  showFiles();
  segments(parts.forms, FORMS.map(([name, title]) => [name, title]), work.form, (form) => { change({ form }, false); showResult(); });
  segments(parts.widths, WIDTHS, work.width, (width) => { change({ width }, false); showResult(); });
}

function segments(box, choices, chosen, act) {
  box.replaceChildren(...choices.map(([name, title]) => make("button", {
    type: "button", "aria-pressed": String(name === chosen), text: title, data: { name },
    on: {
      click: () => {
        for (const other of box.children) other.setAttribute("aria-pressed", String(other.dataset.name === name));
        act(name);
      },
    },
  })));
}

const fileName = (file) => ({ markdown: `${work.name || "mine"}.md`, card: `${work.name || "mine"}.card.json`, pasted: "Notification" })[file];

function showFiles() {
  segments(parts.files, ["markdown", "card", "pasted"].map((file) => [file, fileName(file)]), work.file, (file) => {
    change({ file }, false);
    showFile();
  });
  showFile();
}

function showFile() {
  const isNotification = work.file === "pasted";
  editor.label = isNotification ? "Notification, as JSON" : `Template ${fileName(work.file)}`;
  editor.text = isNotification && work.sample !== PASTED ? sampleText() : work[work.file];
  editor.area.placeholder = { markdown: "Markdown with {{ … }}", card: "An Adaptive Card as JSON, or nothing", pasted: "A webhook body of Alertmanager, as JSON" }[work.file];
  markEditor();
}

function sampleText() {
  const found = samples.find((sample) => sample.name === work.sample);
  return JSON.stringify(found?.body ?? {}, null, 2);
}

// What a person does.

function change(changed, renders = true) {
  Object.assign(work, changed);
  store();
  if ("name" in changed) {
    for (const tab of parts.files.children) tab.textContent = fileName(tab.dataset.name);
  }
  if (!renders) return;
  clearTimeout(timer);
  timer = setTimeout(render, PAUSE_MS);
}

const choose = (key) => (event) => change({ [key]: event.target.value });

function edited(text) {
  if (work.file !== "pasted") {
    change({ [work.file]: text });
    return;
  }
  // Whoever changes a sample has one of their own.
  parts.sample.value = PASTED;
  change({ pasted: text, sample: PASTED });
}

function chooseSample() {
  const sample = parts.sample.value;
  // There must be something to change.
  const pasted = sample === PASTED && !work.pasted ? sampleText() : work.pasted;
  change({ sample, pasted });
  if (sample === PASTED) change({ file: "pasted" });
  showFiles();
}

function startFrom() {
  const name = parts.from.value;
  const known = templates.find((template) => template.name === work.from);
  const isChanged = work.markdown !== (known?.markdown ?? "") || work.card !== (known?.card ?? "");
  replaced = isChanged && work.markdown.trim() ? { from: work.from, name: work.name, markdown: work.markdown, card: work.card } : null;
  parts.undo.hidden = !replaced;
  const { from, name: called, markdown, card } = begin(name);
  change({ from, name: called, markdown, card, file: work.file === "pasted" ? "markdown" : work.file });
  parts.name.value = work.name;
  showFiles();
}

/** Brings back what a person had written before another template took its place. */
function undo() {
  change({ ...replaced, file: "markdown" });
  replaced = null;
  parts.undo.hidden = true;
  parts.from.value = work.from;
  parts.name.value = work.name;
  showFiles();
  editor.area.focus();
}

/** What is asked of the server: the template and the notification. */
function question() {
  const template = { name: work.name, markdown: work.markdown };
  if (work.card.trim()) template.card = work.card;
  const notification = work.sample === PASTED ? { notification: work.pasted } : { sample: work.sample };
  return { receiver: work.receiver, template, ...notification };
}

// What comes of it.

async function render() {
  asked?.abort();
  const mine = new AbortController();
  asked = mine;
  try {
    const answer = await call("/dev/v1/render", { body: question(), signal: mine.signal });
    if (asked !== mine) return;
    rendered = answer;
    showError(parts.failure, null);
  } catch (error) {
    if (asked !== mine || error.name === "AbortError") return;
    showError(parts.failure, error);
    rendered = rendered && { ...rendered, problems: [] };
  }
  showResult();
}

function showResult() {
  if (!rendered) return;
  const { problems } = rendered;
  markEditor();
  parts.problems.replaceChildren(...problems.map((problem) => make("li", {}, make("button", {
    type: "button", class: "problem", on: { click: () => goTo(problem) },
  },
  make("span", { class: "problem-place", text: problem.line ? `${problem.file}:${problem.line}:${problem.column}` : problem.file }),
  make("span", { text: problem.message }),
  problem.hint ? make("span", { class: "hint", text: problem.hint }) : null))));
  const amount = count(rendered.parts.length, "message");
  let status = `${amount} with template ${rendered.template}`;
  if (rendered.parts.length === 0) status = `The service would refuse to load this template.${lastGood ? " Below is what the last one made." : ""}`;
  else if (problems.some((problem) => problem.file.endsWith(".card.json"))) status = `The card fails with this notification. ${amount} would be posted without it, as below.`;
  else if (rendered.fallback) status = `The template fails with this notification. ${amount} would be posted with a plainer one, as below.`;
  if (parts.status.textContent !== status) parts.status.textContent = status;
  parts.status.className = problems.length > 0 ? "hint wrong" : "hint";
  const isStale = rendered.parts.length === 0;
  if (!isStale) lastGood = rendered;
  parts.result.className = `result ${work.width}${isStale ? " stale" : ""}`;
  parts.result.replaceChildren(...(lastGood ? showParts(lastGood, work.form) : []));
}

/** Problems of the file that is open are marked in it. */
function markEditor() {
  const problems = rendered?.problems.filter((problem) => problem.file === fileName(work.file)) ?? [];
  editor.setProblems(problems);
}

function goTo(problem) {
  const file = ["markdown", "card"].find((known) => fileName(known) === problem.file);
  if (!file) return;
  if (file !== work.file) {
    change({ file }, false);
    showFiles();
  }
  editor.goTo(problem);
}

/** Saves the template as files, where the browser saves files. */
function use() {
  const files = [["markdown", "text/markdown"]];
  if (work.card.trim()) files.push(["card", "application/json"]);
  for (const [file, type] of files) {
    const address = URL.createObjectURL(new Blob([work[file]], { type }));
    // `make` gives links to the web only.
    const link = make("a", { download: fileName(file) });
    link.href = address;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
  app.tell(`Saved ${files.map(([file]) => fileName(file)).join(" and ")}. Put it into templates.directory and set template = "${work.name}" for the receiver.`);
}

async function send() {
  parts.send.disabled = true;
  parts.sent.hidden = false;
  parts.sent.replaceChildren(make("p", { class: "hint", text: "Sending…" }));
  try {
    const sent = await call("/dev/v1/send", { body: question() });
    parts.sent.replaceChildren(...showSent(app, sent));
    showError(parts.failure, null);
  } catch (error) {
    parts.sent.hidden = true;
    showError(parts.failure, error);
  } finally {
    parts.send.disabled = false;
  }
}
