// The sandbox' page: asks the control API once a second for what has changed and shows it.
//
// Everything that comes from there is untrusted. It is set as text, but for `page_html`, which
// the server has sanitised, and the page's Content-Security-Policy runs no script from it.

import { showCard } from "./card.js";

const EVERY_MS = 1000;
const AVATARS = 6;

const at = (id) => document.getElementById(id);
const elements = {
  link: at("link"), rooms: at("rooms"), title: at("title"),
  about: at("about"), faults: at("faults"), messages: at("messages"),
};

let chosen = decodeURIComponent(location.hash.slice(1));
let shown = "";
let revision = null;
let latest = null;
/** How many messages of each room have been looked at, by room id. */
const seen = new Map();
/** Message elements that are in the page, by message id. */
const known = new Map();

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const number = new Intl.NumberFormat();

function when(stamp, text = time) {
  const element = make("time", "", text.format(new Date(stamp)));
  element.dateTime = stamp;
  element.title = exact.format(new Date(stamp));
  return element;
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

function showRooms(state) {
  const rows = state.rooms.map((room) => {
    const button = make("button");
    button.type = "button";
    button.dataset.room = room.id;
    button.append(make("span", "name", room.title));
    if (room.id === chosen) {
      button.setAttribute("aria-current", "true");
      seen.set(room.id, room.posted);
    }
    const unread = room.posted - (seen.get(room.id) ?? 0);
    if (unread > 0) {
      const badge = make("span", "unread", unread > 999 ? "999+" : String(unread));
      badge.title = "not looked at yet";
      button.append(badge);
    } else {
      button.append(make("span", "count", number.format(room.messages)));
    }
    const row = make("li");
    row.append(button);
    return row;
  });
  const focused = document.activeElement?.dataset?.room;
  elements.rooms.replaceChildren(...rows);
  if (focused) elements.rooms.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
}

function showHead(state, room) {
  elements.title.textContent = room?.title ?? "No space";
  document.title = room ? `${room.title} · Webex sandbox` : "Webex sandbox";
  const bots = room?.bots.length ? `Bots here: ${room.bots.join(", ")}` : "No bot is in this space";
  elements.about.textContent = room ? bots : "";
  const effects = state.faults.map(({ fault }) => {
    const name = typeof fault.effect === "string" ? fault.effect : Object.keys(fault.effect)[0];
    return name.replaceAll("_", " ") + (fault.times ? ` (${fault.times} more)` : "");
  });
  elements.faults.hidden = effects.length === 0;
  elements.faults.textContent = `On purpose, these fail now: ${effects.join(", ")}`;
}

function showMessage(message, isReply, isOrphan, limit) {
  const article = make("article", isReply ? "message reply" : "message");
  const avatar = make("span", `avatar c${colour(message.person.email)}`, initials(message.person.name));
  avatar.setAttribute("aria-hidden", "true");

  const by = make("div", "by");
  by.append(make("span", "who", message.person.name), when(message.created));
  if (message.edits > 0) {
    const edited = make("span", "tag", message.edits === 1 ? "edited" : `edited ${message.edits} times`);
    edited.title = exact.format(new Date(message.updated));
    by.append(edited);
  }
  if (isOrphan) by.append(make("span", "tag", "reply to a message that is gone"));

  const size = make("span", "size");
  const meter = document.createElement("meter");
  Object.assign(meter, { min: 0, max: limit, high: limit * 0.9, optimum: 0, value: message.size });
  meter.setAttribute("aria-label", "Size against the limit");
  size.append(meter, `${number.format(message.size)} of ${number.format(limit)} bytes`);
  by.append(size);

  const body = make("div", message.page_html ? "body" : "body plain");
  if (message.page_html) {
    body.innerHTML = message.page_html;
    for (const link of body.querySelectorAll("a[href]")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
  } else {
    body.textContent = message.text ?? "";
  }

  const inner = make("div", "inner");
  inner.append(by);
  if (message.card) {
    // Clients that show cards show nothing else.
    const beside = make("details", "beside");
    beside.append(make("summary", "", "Text for clients without cards"), body);
    const source = make("details", "beside");
    source.append(make("summary", "", "Source of the card"));
    source.append(make("pre", "source", JSON.stringify(message.card.content, null, 2)));
    inner.append(showCard(message.card.content), beside, source);
  } else {
    inner.append(body);
  }
  for (const file of message.files) inner.append(make("p", "files", `File: ${file}`));

  article.append(avatar, inner);
  return article;
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
  const box = elements.messages;
  const isNewRoom = shown !== chosen;
  const wasAtEnd = isNewRoom || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  if (isNewRoom) known.clear();

  const children = [];
  const ids = new Set();
  let lastDay = "";
  for (const { message, isReply = false, isOrphan = false } of threads(state.messages)) {
    const today = day.format(new Date(message.created));
    if (!isReply && today !== lastDay) {
      children.push(make("div", "day", today));
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

  if (children.length === 0 && chosen) {
    const empty = make("div", "empty");
    empty.append(make("p", "", "Nothing has been posted here yet."), make("p", "", "The id of this space is"), make("code", "", chosen));
    children.push(empty);
  }
  reconcile(box, children);
  shown = chosen;
  if (wasAtEnd) box.scrollTop = box.scrollHeight;
}

/** Puts `children` into `box` and moves none that stands where it should: moving loses focus. */
function reconcile(box, children) {
  children.forEach((child, index) => {
    if (box.children[index] !== child) box.insertBefore(child, box.children[index] ?? null);
  });
  while (box.children.length > children.length) box.lastElementChild.remove();
}

function show(state) {
  latest = state;
  const room = state.rooms.find((known) => known.id === chosen);
  showRooms(state);
  showHead(state, room);
  showMessages(state);
}

function choose(id) {
  chosen = id;
  revision = null;
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
}

function tell(className, text) {
  // Said only when it changes: it is a live region.
  if (elements.link.textContent !== text) elements.link.textContent = text;
  elements.link.className = `link ${className}`;
}

async function update() {
  const asked = chosen;
  const query = new URLSearchParams({ room: asked });
  if (revision !== null) query.set("since", revision);
  const response = await fetch(`/control/v1/state?${query}`);
  if (!response.ok) throw new Error(`status ${response.status}`);
  tell("live", "Live");
  if (response.status === 204) return;
  const state = await response.json();
  if (asked !== chosen) return;
  if (!state.rooms.some((room) => room.id === chosen)) {
    const first = state.rooms[0]?.id ?? "";
    if (first !== chosen) {
      choose(first);
      return update();
    }
  }
  revision = state.revision;
  show(state);
}

let timer;
async function loop() {
  clearTimeout(timer);
  try {
    await update();
  } catch {
    // A sandbox that was started again counts anew.
    revision = null;
    tell("lost", "Not connected, trying again");
  }
  clearTimeout(timer);
  timer = setTimeout(loop, EVERY_MS);
}

elements.rooms.addEventListener("click", (event) => {
  const id = event.target.closest("button")?.dataset.room;
  if (!id) return;
  choose(id);
  if (latest) showRooms(latest);
  loop();
});
addEventListener("hashchange", () => {
  choose(decodeURIComponent(location.hash.slice(1)));
  loop();
});
loop();
