// Spaces: the rooms, and what was posted to the one that is chosen.

import { showCard } from "./card.js";
import { dayOf, exactly, make, number, reconcile, time } from "./ui.js";

const AVATARS = 6;

let app = null;
let parts = null;
let chosen = "";
let shown = "";
let endOfState = null;
/** How many messages of each room have been looked at, by room id. */
const seen = new Map();
/** Message elements that are in the page, by message id. */
const known = new Map();

export function mount(element, theApp, path) {
  app = theApp;
  parts = {
    rooms: make("ul"),
    title: make("h2"),
    about: make("p", { class: "about" }),
    messages: make("div", { class: "messages", role: "log", "aria-label": "Messages", tabindex: "0" }),
  };
  parts.rooms.addEventListener("click", (event) => {
    const id = event.target.closest("button")?.dataset.room;
    if (id) app.go("spaces", id);
  });
  element.append(make("div", { class: "columns" },
    make("nav", { class: "rooms", "aria-label": "Spaces" }, make("h2", { text: "Spaces" }), parts.rooms),
    make("div", { class: "room" }, make("div", { class: "head" }, parts.title, parts.about), parts.messages)));
  shown = "";
  known.clear();
  route(path);
  endOfState = app.onState(show);
}

export function route([room = ""]) {
  chosen = room;
  app.setQuery({ room });
  app.refresh().catch(() => {});
}

export function unmount() {
  endOfState();
}

function show(state) {
  const room = state.rooms.find((one) => one.id === chosen);
  if (!room && state.rooms.length > 0) {
    app.go("spaces", state.rooms[0].id);
    return;
  }
  showRooms(state);
  parts.title.textContent = room?.title ?? "No space";
  parts.about.textContent = room?.bots.length ? `Bots here: ${room.bots.join(", ")}` : "No bot is in this space";
  showMessages(state);
}

function showRooms(state) {
  const rows = state.rooms.map((room) => {
    const isChosen = room.id === chosen;
    if (isChosen) seen.set(room.id, room.posted);
    const unread = room.posted - (seen.get(room.id) ?? 0);
    const count = unread > 0
      ? make("span", { class: "unread", title: "not looked at yet", text: unread > 999 ? "999+" : String(unread) })
      : make("span", { class: "count", text: number(room.messages) });
    return make("li", {}, make("button", { type: "button", data: { room: room.id }, "aria-current": isChosen ? "true" : null },
      make("span", { class: "name", text: room.title }), count));
  });
  const focused = document.activeElement?.dataset?.room;
  parts.rooms.replaceChildren(...rows);
  if (focused) parts.rooms.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
}

function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[1]].map((word) => [...word][0]) : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}

function colour(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return (hash >>> 16) % AVATARS;
}

function showMessage(message, isReply, isOrphan, limit) {
  const by = make("div", { class: "by" }, make("span", { class: "who", text: message.person.name }), time(message.created));
  if (message.edits > 0) {
    by.append(make("span", { class: "tag", title: exactly(message.updated), text: `edited ${message.edits}×` }));
  }
  if (isOrphan) by.append(make("span", { class: "tag", text: "reply to a message that is gone" }));
  const meter = make("meter", { min: 0, max: limit, high: limit * 0.9, optimum: 0, value: message.size, "aria-label": "Size against the limit" });
  by.append(make("span", { class: "size" }, meter, `${number(message.size)} of ${number(limit)} bytes`));

  const body = make("div", { class: message.page_html ? "body" : "body plain" });
  if (message.page_html) {
    // The server has sanitised it.
    body.innerHTML = message.page_html;
    for (const link of body.querySelectorAll("a[href]")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
  } else {
    body.textContent = message.text ?? "";
  }
  const inner = make("div", { class: "inner" }, by);
  if (message.card) {
    // Clients that show cards show nothing else.
    inner.append(
      showCard(message.card.content),
      make("details", { class: "beside" }, make("summary", { text: "Text for clients without cards" }), body),
      make("details", { class: "beside" }, make("summary", { text: "Source of the card" }),
        make("pre", { class: "source", text: JSON.stringify(message.card.content, null, 2) })));
  } else {
    inner.append(body);
  }
  for (const file of message.files) inner.append(make("p", { class: "files", text: `File: ${file}` }));
  const avatar = make("span", { class: `avatar c${colour(message.person.email)}`, "aria-hidden": "true", text: initials(message.person.name) });
  return make("article", { class: isReply ? "message reply" : "message" }, avatar, inner);
}

/** Roots by time, each followed by its replies. */
function threads(messages) {
  const ids = new Set(messages.map((message) => message.id));
  const replies = Map.groupBy(messages, (message) => message.parent_id);
  const rows = [];
  for (const message of messages) {
    if (message.parent_id && ids.has(message.parent_id)) continue;
    rows.push({ message, isOrphan: Boolean(message.parent_id) });
    for (const reply of replies.get(message.id) ?? []) rows.push({ message: reply, isReply: true });
  }
  return rows;
}

function showMessages(state) {
  const box = parts.messages;
  const isNewRoom = shown !== chosen;
  const wasAtEnd = isNewRoom || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  if (isNewRoom) known.clear();

  const children = [];
  const ids = new Set();
  let lastDay = "";
  for (const { message, isReply = false, isOrphan = false } of threads(state.messages)) {
    const today = dayOf(message.created);
    if (!isReply && today !== lastDay) {
      children.push(make("div", { class: "day", text: today }));
      lastDay = today;
    }
    // A message that has not changed keeps its element, and with it selection and open cards.
    const version = `${message.revision} ${isReply} ${isOrphan}`;
    let entry = known.get(message.id);
    if (entry?.version !== version) {
      const element = showMessage(message, isReply, isOrphan, state.limit);
      if (!isNewRoom && !entry) element.classList.add("fresh");
      entry = { version, element };
      known.set(message.id, entry);
    }
    ids.add(message.id);
    children.push(entry.element);
  }
  for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
  if (children.length === 0) {
    children.push(make("div", { class: "empty" }, make("p", { text: "Nothing has been posted here yet." }),
      make("p", { text: "The id of this space is" }), make("code", { text: chosen })));
  }
  reconcile(box, children);
  shown = chosen;
  if (wasAtEnd) box.scrollTop = box.scrollHeight;
}
