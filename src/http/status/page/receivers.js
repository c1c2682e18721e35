// The list of receivers: what fails comes first, each with the reason and the remedy.

import { button, count, make, number, reconcile } from "./ui.js";
import { ago, explained, quoted } from "./words.js";

const STATES = {
  failing: "Failing",
  rejected: "Request refused",
  waiting: "Waiting",
  ok: "Delivered",
  unused: "No notification yet",
};
const CHOICES = { "": "All", trouble: "Trouble", failing: "Failing", rejected: "Refused", waiting: "Waiting", ok: "Delivered", unused: "Unused" };

/** So many more are shown at a time. */
const STEP = 50;
/** So long after the last key it is asked. */
const PAUSE_MS = 200;

export class Receivers {
  /** `page`: `asked` and `change` for what is asked for, `ownView` for links, `only` the one receiver. */
  constructor(box, page) {
    this.box = box;
    this.page = page;
    this.items = new Map();
    this.list = make("ul", { class: "list" });
    this.more = button("Show more", () => page.change({ limit: String(this.limit() + STEP) }), { hidden: true });
    this.none = make("p", { class: "none", role: "status", hidden: true });
    if (page.only === null) box.append(this.#controls());
    box.append(this.list, this.none, this.more);
  }

  limit = () => Number(this.page.asked.limit) || STEP;

  #controls() {
    const { asked, change } = this.page;
    let timer = null;
    const search = make("input", {
      type: "search", "aria-label": "Filter by name", placeholder: "Filter by name or room", value: asked.filter, autocomplete: "off", spellcheck: "false", autocapitalize: "none",
      on: { input: () => {
        clearTimeout(timer);
        timer = setTimeout(() => change({ filter: search.value.trim(), limit: "" }), PAUSE_MS);
      } },
    });
    this.choices = new Map(Object.keys(CHOICES).map((state) => [state, button("", () => {
      change({ state, limit: "" });
      this.#mark();
    }, { class: null, data: { state } })]));
    this.#mark();
    this.heading = make("h2", { text: "Receivers" });
    return make("div", { class: "controls" }, this.heading, search,
      make("div", { class: "segments", role: "group", "aria-label": "Only those that are" }, [...this.choices.values()]));
  }

  #mark() {
    for (const [state, choice] of this.choices) choice.setAttribute("aria-pressed", String(this.page.asked.state === state));
  }

  #count(summary) {
    const troubled = summary.failing + summary.rejected + summary.waiting;
    const amounts = { ...summary, "": summary.receivers, trouble: troubled };
    for (const [state, choice] of this.choices) {
      const text = `${CHOICES[state]} ${number(amounts[state])}`;
      if (choice.textContent !== text) choice.textContent = text;
      // What there is none of is no choice, unless it was chosen.
      const isOf = !["", "trouble", this.page.asked.state].includes(state);
      choice.hidden = isOf && (amounts[state] === 0 || (state !== "ok" && state !== "unused" && amounts[state] === troubled));
    }
  }

  /** Shows what there is now, and touches only what has changed. */
  show(status) {
    this.box.hidden = false;
    const { summary, receivers } = status;
    if (summary) this.#count(summary);
    const names = new Set(receivers.map((receiver) => receiver.name));
    for (const name of this.items.keys()) if (!names.has(name)) this.items.delete(name);
    reconcile(this.list, receivers.map((receiver) => this.#item(receiver)));
    const left = summary ? summary.matching - receivers.length : 0;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${number(Math.min(STEP, Math.max(left, 0)))} more of ${number(left)}`;
    this.none.hidden = receivers.length > 0;
    const isNarrowed = this.page.asked.filter !== "" || this.page.asked.state !== "";
    const text = isNarrowed ? "No receiver is so." : "No receiver is configured.";
    if (this.none.textContent !== text) this.none.textContent = text;
  }

  #item(receiver) {
    const told = JSON.stringify(receiver);
    const known = this.items.get(receiver.name);
    if (known?.told === told) return known.element;
    if (!known) {
      const element = make("li", {});
      fill(element, receiver, this.page, this.page.only !== null);
      this.items.set(receiver.name, { element, told });
      return element;
    }
    const isOpen = known.element.querySelector("details")?.open ?? false;
    const hadFocus = known.element.contains(document.activeElement);
    fill(known.element, receiver, this.page, isOpen);
    if (hadFocus) known.element.querySelector("summary, a")?.focus();
    known.told = told;
    return known.element;
  }
}

function fill(element, receiver, page, isOpen) {
  element.className = `receiver ${receiver.state}`;
  const hasDetails = receiver.template !== undefined;
  const isTrouble = ["failing", "rejected", "waiting"].includes(receiver.state);
  element.replaceChildren(...[
    make("div", { class: "line" },
      make("h3", { class: "name", text: receiver.name }),
      make("span", { class: `badge ${receiver.state}`, text: receiver.dry_run && receiver.state === "ok" ? "Dry run" : STATES[receiver.state] }),
      when(receiver, isTrouble)),
    ...(isTrouble ? why(receiver) : []),
    hasDetails ? details(receiver, isTrouble, isOpen) : null,
    ...(hasDetails ? [] : [places(receiver, isTrouble), elsewhere(receiver, page)]),
  ].filter(Boolean));
}

/** Each room that refuses says why itself. */
function why(receiver) {
  const messages = receiver.reason === "room_refused" && receiver.refusing?.length > 0 ? receiver.refusing.map((room) => room.message) : [receiver.message];
  return messages.filter(Boolean).map((message) => make("p", { class: "why" }, explained(message)));
}

function when(receiver, isTrouble) {
  if (isTrouble && receiver.since) return make("span", { class: "when" }, "for ", ago(receiver.since, ""));
  if (receiver.last_success_at) return make("span", { class: "when" }, ago(receiver.last_success_at));
  return null;
}

function places(receiver, isTrouble) {
  const parts = [];
  if (receiver.destinations?.length) {
    const names = receiver.destinations.slice(0, 4).map((one) => one.name);
    const rest = receiver.destinations.length - names.length;
    parts.push(make("span", { class: "to" }, make("span", { class: "unseen", text: "to " }), `${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`));
  }
  if (receiver.waiting_notifications > 0) {
    parts.push(make("span", {}, `${number(receiver.waiting_notifications)} waiting`,
      receiver.oldest_waiting_since ? [", the oldest for ", ago(receiver.oldest_waiting_since, "")] : null));
  }
  if (isTrouble) parts.push(make("span", {}, receiver.last_success_at ? ["last delivered ", ago(receiver.last_success_at)] : "nothing delivered since the start"));
  return make("span", { class: "places" }, parts);
}

/** A receiver whose credentials guard what more there is to say. */
function elsewhere(receiver, page) {
  const link = make("a", { class: "own", text: "its own view" });
  link.setAttribute("href", page.ownView(receiver.name));
  return make("p", { class: "places soft" }, "Why, and where it goes, is told to whoever has this receiver's credentials, in ", link, ".");
}

/** What is folded away is made when somebody opens it. */
function details(receiver, isTrouble, isOpen) {
  const box = make("details", { open: isOpen }, make("summary", {}, places(receiver, isTrouble), make("span", { class: "unseen", text: `Details of ${receiver.name}` })));
  const fill = () => { if (box.open && !box.querySelector("dl")) box.append(facts(receiver, isTrouble)); };
  box.addEventListener("toggle", fill);
  fill();
  return box;
}

function facts(receiver, isTrouble) {
  const list = [];
  const fact = (name, ...value) => list.push(make("div", {}, make("dt", { text: name }), make("dd", {}, value)));
  const { last_outcome: last, refused_request: refused } = receiver;
  if (last) fact("Last outcome", make("code", { text: last.reason }), " ", ago(last.at), isTrouble && last.message === receiver.message ? null : [make("br"), explained(last.message ?? "")]);
  else fact("Last outcome", "no notification since the process started");
  if (refused) fact("Refused request", make("code", { text: refused.reason }), " ", ago(refused.at));
  for (const room of receiver.refusing) fact(`Refusing ${room.kind}`, make("code", { text: room.name }), " for ", ago(room.since, ""));
  fact("Last delivered", receiver.last_success_at ? ago(receiver.last_success_at) : "not since the process started");
  fact("Since the start", `${count(receiver.delivered_notifications, "notification")} delivered in ${count(receiver.delivered_messages, "message")}, ${number(receiver.failed_notifications)} not delivered, ${count(receiver.refused_requests, "request")} refused`);
  fact("Goes to", receiver.destinations.length === 0 ? "the rooms that alerts name" : receiver.destinations.map((one, index) => [index > 0 ? ", " : null, `${one.kind} `, make("code", { text: one.name }), one.kind === "webhook" ? null : [" by bot ", make("code", { text: one.bot })]]),
    receiver.rooms_may_be_chosen && receiver.destinations.length > 0 ? "; alerts may name others" : null);
  fact("Template", make("code", { text: receiver.template }), `, conversation `, make("code", { text: receiver.conversation }), receiver.dry_run ? ", dry run: nothing is posted" : null);
  fact("Callers", receiver.asks_for_credentials ? "must show credentials" : "anybody who reaches the port");
  return make("dl", {}, list);
}
