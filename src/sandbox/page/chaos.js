// Chaos: what goes wrong on purpose. The faults come from the server's catalogue, so whatever the
// sandbox can do is on this page; each is sent as the JSON that is shown, which a test can send too.

import { Bots } from "./bots.js";
import { button, call, count, duration, field, make, number, reconcile, select, showError } from "./ui.js";

const FAULTS = "/control/v1/faults";

/** What is contested about Webex, and what the sandbox can do about it, the default first. */
const BEHAVIOUR = [
  ["card_edits", "Editing a message that holds a card", [["reject", "is refused"], ["allow", "replaces the card"]]],
  ["reply_to_reply", "A reply to a reply", [["400", "is refused with 400"], ["404", "is refused with 404"], ["normalise", "goes to the root of the thread"]]],
  ["deleted_parent", "A reply to a message that is gone", [["404", "is refused with 404"], ["400", "is refused with 400"], ["post", "becomes a message of its own"]]],
  ["card_without_text", "A card without text beside it", [["reject", "is refused"], ["allow", "is posted"]]],
  ["card_max_bytes", "The largest card, in bytes", null],
  ["incoming_webhook", "An incoming webhook", [["204", "answers 204"], ["200", "answers 200"]]],
  ["rooms_empty_page", "The list of rooms", [[false, "begins with its first page"], [true, "begins with an empty page that has a next one"]]],
];

let app = null;
let parts = null;
let catalogue = [];
let chosen = null;
let values = {};
let endOfState = null;
let timer = null;
let bots = null;
const rows = new Map();
const knobs = new Map();

export function mount(element, theApp) {
  app = theApp;
  rows.clear();
  knobs.clear();
  bots = new Bots(app);
  parts = {
    active: make("ul", { class: "active" }),
    none: make("p", { class: "hint", text: "Nothing: every request is answered as Webex would." }),
    clearAll: button("Clear all", () => change(FAULTS, { method: "DELETE" }), { class: "button small danger", hidden: true }),
    choices: make("div", { class: "choices", role: "radiogroup", "aria-label": "Fault" }),
    form: make("form", { class: "fault-form", hidden: true }),
    failure: make("p", { hidden: true }),
    knobs: make("div", { class: "knobs" }),
    knobFailure: make("p", { hidden: true }),
  };
  parts.form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  for (const event of ["input", "change"]) parts.form.addEventListener(event, showJson);
  element.append(make("div", { class: "chaos-page" },
    make("header", { class: "page-head" }, make("h2", { text: "Chaos" }),
      make("p", { text: "Make the sandbox misbehave as Webex and networks do, and see what your client makes of it." })),
    make("section", { class: "panel", "aria-label": "Active faults" },
      make("div", { class: "panel-head" }, make("h3", { text: "Goes wrong now" }), parts.clearAll), parts.none, parts.active),
    make("section", { class: "panel", "aria-label": "New fault" }, make("h3", { text: "Let something go wrong" }), parts.choices, parts.form, parts.failure),
    bots.element,
    make("section", { class: "panel", "aria-label": "Behaviour" }, make("h3", { text: "Where Webex's behaviour is contested" }),
      make("p", { class: "hint", text: "Reports differ on these. The sandbox refuses unless told otherwise, so that what passes here passes there." }),
      parts.knobs, parts.knobFailure)));
  endOfState = app.onState(show);
  timer = setInterval(tick, 1000);
  app.refresh().catch(() => {});
  load();
}

export function unmount() {
  endOfState();
  clearInterval(timer);
}

/** Calls, and shows what comes of it; the change comes back as a change of state. */
async function change(path, options, place = parts.failure) {
  try {
    await call(path, options);
    showError(place, null);
    await app.refresh();
    return true;
  } catch (error) {
    showError(place, error);
    return false;
  }
}

// The catalogue: `[{effect, title, sentence, examples: [{title, fault}]}]`.

async function load() {
  try {
    catalogue = await call(`${FAULTS}/catalogue`);
  } catch (error) {
    showError(parts.failure, error);
    return;
  }
  parts.choices.replaceChildren(...catalogue.map((entry, index) => {
    const input = make("input", { type: "radio", name: "fault", value: String(index), on: { change: () => choose(entry) } });
    return make("label", { class: "choice" }, input, make("span", { class: "choice-name", text: entry.title }), make("span", { class: "choice-text" }, withCode(entry.sentence)));
  }));
  if (app.state) show(app.state);
}

/** A sentence whose words between backticks are code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? make("code", { text: part }) : part));
}

/** "retry_after" as a person would write it. */
function title(name) {
  const text = String(name).replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** All values in an effect, each with the path to it. */
function leaves(value, path = []) {
  if (value === null || typeof value !== "object") return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** Shows the form for a fault of the catalogue, filled as its example with this index says. */
function choose(entry, index = 0) {
  chosen = entry;
  const hadFocus = document.activeElement === parts.variant;
  values = structuredClone(entry.examples[index].fault);
  const state = app.state ?? { rooms: [], bots: [] };
  parts.variant = select(entry.examples.map((example, at) => [String(at), example.title]), { value: String(index) });
  parts.variant.addEventListener("change", () => choose(entry, Number(parts.variant.value)));
  const inputs = typeof values.effect === "object" ? leaves(values.effect).map(([path, value]) => {
    const control = typeof value === "boolean"
      ? make("input", { type: "checkbox", checked: value })
      : make("input", { type: typeof value === "number" ? "number" : "text", step: "any", value: String(value) });
    control.dataset.path = JSON.stringify(path);
    control.dataset.kind = typeof value;
    return field(title(path.slice(1).join(" ") || path[0]), control);
  }) : [];
  // A quota is used up and fills again, so it has no count of its own.
  const lasts = values.for_ms !== undefined ? "for_ms" : values.times !== undefined || entry.effect !== "quota" ? "times" : "until";
  parts.lasts = select([["times", "for so many requests"], ["for_ms", "for so many seconds"], ["until", "until it is cleared"]], { value: lasts });
  parts.amount = make("input", { type: "number", min: "1", step: "1", value: String(lasts === "for_ms" ? Math.max(1, Math.round(values.for_ms / 1000)) : values.times ?? 3) });
  parts.room = select([["", "any room"], ...state.rooms.map((room) => [room.id, room.title])]);
  parts.bot = select([["", "any bot"], ...state.bots.map((bot) => [bot.name, bot.name])]);
  if (state.bots.some((bot) => bot.name === values.bot)) parts.bot.value = values.bot;
  const room = state.rooms.find((one) => one.id === values.room || one.title === values.room);
  if (room) parts.room.value = room.id;
  parts.json = make("pre", { class: "source", tabindex: "0", "aria-label": "What is sent" });
  parts.form.replaceChildren(
    entry.examples.length > 1 ? make("div", { class: "variant" }, field("In which form", parts.variant)) : "",
    make("div", { class: "fields" }, inputs, field("It lasts", parts.lasts), field("How many", parts.amount), field("Only for the room", parts.room), field("Only for the bot", parts.bot)),
    make("details", { class: "beside" }, make("summary", { text: "As a test would send it" }), parts.json),
    make("div", { class: "form-foot" }, make("button", { type: "submit", class: "button primary", text: "Let it happen" })));
  parts.form.hidden = false;
  if (hadFocus) parts.variant.focus();
  showError(parts.failure, null);
  showJson();
}

/** What the form says, as the control API wants it. */
function fault() {
  const body = structuredClone(values);
  for (const control of parts.form.querySelectorAll("[data-path]")) {
    const path = JSON.parse(control.dataset.path);
    const holder = path.slice(0, -1).reduce((inner, key) => inner[key], body.effect);
    const value = control.dataset.kind === "boolean" ? control.checked : control.value;
    // A number that is none is sent as it is: the server says what is wrong with it.
    holder[path.at(-1)] = control.dataset.kind === "number" && value !== "" ? Number(value) : value;
  }
  for (const key of ["times", "for_ms", "room", "bot"]) delete body[key];
  if (parts.lasts.value === "times") body.times = Number(parts.amount.value);
  if (parts.lasts.value === "for_ms") body.for_ms = Math.round(Number(parts.amount.value) * 1000);
  if (parts.room.value) body.room = parts.room.value;
  if (parts.bot.value) body.bot = parts.bot.value;
  return body;
}

function showJson() {
  const forever = parts.lasts.value === "until";
  parts.amount.closest(".field").hidden = forever;
  parts.amount.closest(".field").querySelector("label").textContent = parts.lasts.value === "times" ? "Requests" : "Seconds";
  parts.json.textContent = `curl -s ${location.origin}${FAULTS} -d '${JSON.stringify(fault()).replaceAll("'", "'\\''")}'`;
}

async function send() {
  if (await change(FAULTS, { body: fault() })) {
    app.tell(`${chosen.title}: it goes wrong from now on.`);
  }
}

// What stands.

function describe({ effect }) {
  const [name] = typeof effect === "string" ? [effect] : Object.keys(effect);
  const told = catalogue.find((entry) => entry.effect === name)?.title ?? title(name);
  // An error object of Webex is the usual body.
  const isWorthTelling = ([path, value]) => path.length > 0 && value !== null && value !== undefined && !(path[0] === "body" && value === "json");
  const details = leaves(effect[name]).filter(isWorthTelling)
    .map(([path, value]) => `${path.join(" ").replaceAll("_", " ")} ${value}`);
  return details.length > 0 ? `${told}: ${details.join(", ")}` : told;
}

function filters(one, rooms) {
  const room = one.room && (rooms.find((known) => known.id === one.room)?.title ?? one.room);
  return [one.method, one.path, room && `room ${room}`, one.bot && `bot ${one.bot}`].filter(Boolean).join(" · ");
}

function show(state) {
  const now = performance.now();
  const children = state.faults.map((standing) => {
    const { id, met, fault: one } = standing;
    const known = rows.get(id) ?? { row: make("li") };
    known.ends = one.for_ms === undefined || one.for_ms === null ? null : now + one.for_ms;
    const version = JSON.stringify([one.times, met, describe(one)]);
    if (known.version !== version) {
      known.version = version;
      known.left = make("span", { class: "left" });
      const clear = known.row.querySelector("button") ?? button("Clear", () => change(`${FAULTS}/${id}`, { method: "DELETE" }), { class: "button small", "aria-label": `Clear: ${describe(one)}` });
      const about = make("div", { class: "about-fault" }, make("strong", { text: describe(one) }), make("span", { class: "hint", text: filters(one, state.rooms) || "all requests" }));
      const told = make("div", { class: "told" }, make("span", { text: met > 0 ? `met by ${count(met, "request")}` : "not met yet" }), known.left);
      // The button stays where it is: it may have the focus.
      if (clear.parentElement) {
        for (const child of [...known.row.children]) if (child !== clear) child.remove();
        clear.before(about, told);
      } else known.row.append(about, told, clear);
    }
    known.times = one.times;
    rows.set(id, known);
    return known.row;
  });
  const ids = new Set(state.faults.map(({ id }) => id));
  for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);
  reconcile(parts.active, children);
  parts.none.hidden = children.length > 0;
  parts.clearAll.hidden = children.length === 0;
  tick();
  bots.show(state);
  if (state.behaviour) showBehaviour(state.behaviour);
}

/** What is left counts down between two changes. */
function tick() {
  for (const { ends, times, left } of rows.values()) {
    const texts = [];
    if (times !== undefined && times !== null) texts.push(`${number(times)} more`);
    if (ends !== null) texts.push(`${duration(Math.max(0, Math.ceil((ends - performance.now()) / 1000) * 1000))} left`);
    left.textContent = texts.join(", ") || "until it is cleared";
  }
}

// Behaviour.

function showBehaviour(behaviour) {
  if (knobs.size === 0) {
    for (const [name, label, choices] of BEHAVIOUR) {
      const control = choices
        ? select(choices.map(([value, text]) => [String(value), text]))
        : make("input", { type: "number", min: "1", step: "1" });
      control.addEventListener("change", () => {
        const raw = control.value;
        const value = choices ? choices.find(([known]) => String(known) === raw)[0] : Number(raw);
        change("/control/v1/behaviour", { method: "PATCH", body: { [name]: value } }, parts.knobFailure);
      });
      control.dataset.knob = name;
      knobs.set(name, control);
      parts.knobs.append(field(label, control));
    }
  }
  for (const [name, control] of knobs) {
    if (document.activeElement !== control) control.value = String(behaviour[name]);
  }
}
