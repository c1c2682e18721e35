// The messages of a room: as many as are needed, each made once, and the reader's place kept.
//
// Only the newest are in the page; "Show earlier" brings more. While the reader is not at the
// end, what comes after the last message shown is counted and not added, so nothing moves and
// a storm costs nothing; it comes when the reader gets there or presses "new".

import { count, dayOf, make, number, reconcile } from "./ui.js";
import { showMessage } from "./message.js";

/** How many messages are shown at first, and how many more at a time. */
const STEP = 100;
/** More are not in the page at once while one reads on towards the end. */
const MOST = 400;
/** This near to its end, a list counts as read to the end, in pixels. */
const NEAR = 60;

/** A list of messages in `box`. `ask` is called when its query has changed. */
export class Messages {
  constructor(app, ask) {
    this.app = app;
    this.ask = ask;
    this.box = make("div", { class: "messages", role: "region", "aria-label": "Messages", tabindex: "0" });
    this.earlier = make("button", { type: "button", class: "button small earlier", hidden: true, on: { click: () => this.showEarlier() } });
    this.newer = make("button", { type: "button", class: "pill below", hidden: true, on: { click: () => this.toEnd() } });
    this.replied = make("button", { type: "button", class: "pill above", hidden: true, on: { click: () => this.toReply() } });
    this.element = make("div", { class: "stream" }, this.box, this.replied, this.newer);
    this.box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.open("");
  }

  /** Another room, at its end. */
  open(room) {
    this.room = room;
    this.known = new Map();
    this.bodies = new Map();
    this.last = STEP;
    this.upto = null;
    this.since = null;
    this.laterCount = 0;
    this.newest = null;
    this.isReading = false;
    this.anchor = null;
    this.isAtEnd = true;
    this.isNew = true;
    this.jump = false;
    this.unseenReplies = [];
    this.box.replaceChildren();
  }

  /** What to ask the server for. */
  query() {
    const query = { room: this.room, last: this.last };
    if (this.upto !== null) query.upto = this.upto;
    // Bodies that are known need not be sent again.
    if (this.since) query.since = this.since;
    return query;
  }

  scrolled() {
    const isAtEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
    this.unseenReplies = this.unseenReplies.filter((reply) => !this.isInView(reply));
    this.showReplied();
    if (isAtEnd === this.isAtEnd) return;
    this.isAtEnd = isAtEnd;
    if (isAtEnd && this.laterCount > 0) this.readOn();
    else if (!isAtEnd) this.upto = this.newest;
    this.ask(false);
  }

  /** The reader has come to the end of what is shown, and there is more. */
  readOn() {
    this.last = Math.min(MOST, this.last + Math.min(STEP, this.laterCount));
    this.upto = null;
    this.isReading = true;
    this.since = null;
    this.ask(true);
  }

  toEnd() {
    this.last = STEP;
    this.upto = null;
    this.since = null;
    this.jump = true;
    this.ask(true);
  }

  showEarlier() {
    this.last += STEP;
    this.since = null;
    // What is above grows; the reader stays with what was first.
    this.anchor = this.box.querySelector(".message");
    this.ask(true);
  }

  isInView(element) {
    if (!element.isConnected) return true;
    const view = this.box.getBoundingClientRect();
    const place = element.getBoundingClientRect();
    return place.bottom > view.top && place.top < view.bottom;
  }

  toReply() {
    const reply = this.unseenReplies[0];
    reply?.scrollIntoView({ block: "center" });
    reply?.querySelector("a")?.focus({ preventScroll: true });
  }

  showReplied() {
    const amount = this.unseenReplies.length;
    this.replied.hidden = amount === 0;
    if (amount > 0) this.replied.textContent = `↑ ${count(amount, "new reply", "new replies")}`;
  }

  /** Takes the server's answer; false where it lacks a message, so all must be asked for. */
  take(state, chosen) {
    for (const message of state.messages) this.bodies.set(message.number, message);
    if (state.shown.some((one) => !this.bodies.has(one))) {
      this.since = null;
      return false;
    }
    const wanted = new Set(state.shown);
    for (const one of this.bodies.keys()) if (!wanted.has(one)) this.bodies.delete(one);
    this.since = state.revision;
    this.laterCount = state.later;
    this.newest = state.newest;
    this.show(state, chosen);
    return true;
  }

  show(state, chosen) {
    const wasAtEnd = this.isNew || (this.isAtEnd && !this.isReading) || this.jump;
    const top = this.anchor?.isConnected ? this.anchor.getBoundingClientRect().top : null;
    const rows = threads(state.shown.map((one) => this.bodies.get(one)));
    const children = [];
    const fresh = [];
    if (state.earlier > 0) {
      this.earlier.hidden = false;
      this.earlier.textContent = `Show earlier (${number(state.earlier)})`;
      children.push(this.earlier);
    }
    let lastDay = "";
    for (const row of rows) {
      const today = dayOf(row.message.created);
      if (!row.isReply && today !== lastDay) {
        children.push(this.dayElement(today));
        lastDay = today;
      }
      const { element, isMade } = this.elementOf(row, state, chosen);
      if (isMade) fresh.push({ element, row });
      children.push(element);
    }
    for (const one of this.known.keys()) if (!this.bodies.has(one)) this.known.delete(one);
    if (rows.length === 0) children.push(this.empty(state));
    reconcile(this.box, children);

    if (wasAtEnd) {
      this.box.scrollTop = this.box.scrollHeight;
      this.isAtEnd = true;
    } else if (top !== null && this.anchor.isConnected) {
      this.box.scrollTop += this.anchor.getBoundingClientRect().top - top;
    }
    if (!this.isNew && !this.isReading && !this.anchor && !this.jump) this.tellFresh(fresh);
    this.anchor = null;
    this.isNew = false;
    this.jump = false;
    this.isReading = false;
    // Where the end is out of view now, the reader is not at it.
    this.isAtEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
    this.upto = this.isAtEnd ? null : this.newest;
    this.newer.hidden = !(this.laterCount > 0);
    this.newer.textContent = `↓ ${number(this.laterCount)} new`;
  }

  dayElement(text) {
    this.days ??= new Map();
    if (!this.days.has(text)) this.days.set(text, make("div", { class: "day", text }));
    return this.days.get(text);
  }

  /** A message that has not changed keeps its element, and with it selection and what is open. */
  elementOf(row, state, chosen) {
    const { message, isReply, isOrphan } = row;
    const version = `${message.revision} ${isReply} ${isOrphan}`;
    const entry = this.known.get(message.number);
    const isChosen = message.id === chosen;
    if (entry?.version === version) {
      entry.element.classList.toggle("chosen", isChosen);
      return { element: entry.element, isMade: false };
    }
    const element = showMessage(message, {
      limit: state.limit, isReply, isOrphan, isChosen,
      address: (...tab) => this.app.address("spaces", message.room_id, message.id, ...tab),
    });
    this.known.set(message.number, { version, element });
    return { element, isMade: !entry };
  }

  tellFresh(fresh) {
    for (const { element, row } of fresh) {
      element.classList.add("fresh");
      if (row.isReply && !this.isInView(element)) this.unseenReplies.push(element);
    }
    this.showReplied();
    if (fresh.length === 1) {
      const { message } = fresh[0].row;
      this.app.announce(`${message.person.name}: ${(message.text ?? "a card").slice(0, 200)}`);
    } else if (fresh.length > 1) {
      this.app.announce(count(fresh.length, "new message"));
    }
  }

  empty(state) {
    const room = state.rooms.find((one) => one.id === this.room);
    return make("div", { class: "empty" },
      make("h3", { text: "Nothing has been posted here yet" }),
      make("p", { text: "Post to it with this room's id, and it appears at once:" }),
      make("p", {}, make("code", { text: room?.id ?? this.room })));
  }
}

/** Roots by time, each followed by its replies. */
export function threads(messages) {
  const ids = new Set(messages.map((message) => message.id));
  const replies = Map.groupBy(messages, (message) => message.parent_id);
  const rows = [];
  for (const message of messages) {
    if (message.parent_id && ids.has(message.parent_id)) continue;
    rows.push({ message, isReply: false, isOrphan: Boolean(message.parent_id) });
    for (const reply of replies.get(message.id) ?? []) rows.push({ message: reply, isReply: true, isOrphan: false });
  }
  return rows;
}
