// Spaces: the rooms, what was posted to the one that is chosen, a search over all of them, and
// one message looked at closely. Addresses: `#/spaces/ROOM/MESSAGE/TAB`.

import { Details } from "./details.js";
import { Messages } from "./messages.js";
import { showMessage } from "./message.js";
import { button, call, count, make, number, reconcile } from "./ui.js";

/** How long typing in the search rests before it is asked. */
const SEARCH_AFTER_MS = 150;
const SEEN = "seen";

let app = null;
let parts = null;
let messages = null;
let details = null;
let chosen = { room: "", message: "", tab: "" };
let endOfState = null;
let searched = "";
let timer = null;
/** How many messages of each room have been looked at, by room id; kept while the tab lives. */
let seen = new Map();
const rows = new Map();

export function mount(element, theApp, path) {
  app = theApp;
  seen = remembered();
  rows.clear();
  messages = new Messages(app, ask);
  details = new Details(app, closeDetails);
  parts = {
    rooms: make("ul"),
    search: make("input", { type: "search", placeholder: "Search all messages", "aria-label": "Search all messages", autocomplete: "off", spellcheck: "false" }),
    menu: make("button", { type: "button", class: "menu", "aria-expanded": "false", "aria-controls": "rooms", on: { click: () => showMenu(parts.menu.getAttribute("aria-expanded") !== "true") } }),
    title: make("h2", { text: "Spaces" }),
    about: make("p", { class: "about" }),
    clear: button("Clear", clearRoom, { class: "button small quiet" }),
    found: make("div", { class: "messages found", role: "region", "aria-label": "Search results", tabindex: "0", hidden: true }),
  };
  parts.rooms.addEventListener("click", (event) => {
    const id = event.target.closest("a")?.dataset.room;
    if (!id) return;
    showMenu(false);
    if (leaveSearch()) ask(true);
  });
  parts.rooms.addEventListener("keydown", arrows);
  parts.search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, SEARCH_AFTER_MS);
  });
  parts.columns = make("div", { class: "columns" },
    make("nav", { class: "rooms", id: "rooms", "aria-label": "Spaces" },
      make("div", { class: "search" }, parts.search), make("h2", { text: "Spaces" }), parts.rooms),
    make("div", { class: "room" },
      make("div", { class: "head" }, parts.menu, make("div", { class: "naming" }, parts.title, parts.about), parts.clear),
      messages.element, parts.found),
    details.element);
  element.append(parts.columns);
  document.addEventListener("keydown", escape);
  document.addEventListener("visibilitychange", looked);
  route(path);
  endOfState = app.onState(show);
}

export function unmount() {
  clearTimeout(timer);
  endOfState();
  document.removeEventListener("keydown", escape);
  document.removeEventListener("visibilitychange", looked);
}

export function route([room = "", message = "", tab = ""]) {
  const isOtherRoom = room !== chosen.room || messages.room !== room;
  chosen = { room, message, tab };
  if (isOtherRoom) {
    messages.open(room);
    ask(true);
  }
  parts.columns.classList.toggle("has-details", Boolean(message));
  details.open(room, message, tab);
  for (const shown of parts.columns.querySelectorAll(".message")) shown.classList.toggle("chosen", shown.dataset.id === message);
}

/** Asks for what the list wants to know; `now`: at once, else with the next change. */
function ask(now) {
  app.setQuery(searched ? { search: searched } : messages.query());
  if (now) app.refresh().catch(() => {});
}

function closeDetails() {
  const { room, message } = chosen;
  if (!message) return;
  app.go("spaces", room);
  parts.columns.querySelector(`.message[data-id="${CSS.escape(message)}"] .open`)?.focus({ preventScroll: true });
}

function escape(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (parts.menu.getAttribute("aria-expanded") === "true") {
    showMenu(false);
    parts.menu.focus();
  } else if (chosen.message) closeDetails();
  else if (leaveSearch()) ask(true);
}

/** On a phone the rooms are a menu. */
function showMenu(isOpen) {
  parts.menu.setAttribute("aria-expanded", String(isOpen));
  parts.columns.classList.toggle("shows-rooms", isOpen);
  if (isOpen) (parts.rooms.querySelector("[aria-current]") ?? parts.rooms.querySelector("a"))?.focus();
}

/** Up and down in the list of rooms. */
function arrows(event) {
  const links = [...parts.rooms.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined || !links[to]) return;
  event.preventDefault();
  links[to].focus();
}

// What came.

function show(state) {
  if (state.rooms.length > 0 && !state.rooms.some((room) => room.id === chosen.room)) {
    // The address of no room: the first one, without a step in the history.
    history.replaceState(null, "", app.address("spaces", state.rooms[0].id));
    route([state.rooms[0].id]);
    return;
  }
  const room = state.rooms.find((one) => one.id === chosen.room);
  parts.found.hidden = !searched;
  messages.element.hidden = Boolean(searched);
  if (searched) {
    if (state.search !== searched) return;
    showFound(state);
  } else {
    if (state.room !== chosen.room) return;
    if (!messages.take(state, chosen.message)) {
      ask(true);
      return;
    }
    ask(false);
    note(room, state);
    showHead(room);
  }
  showRooms(state);
  const shown = state.messages.find((message) => message.id === chosen.message);
  if (shown) details.refresh(shown.revision);
}

function showHead(room) {
  const bots = room?.bots ?? [];
  parts.title.textContent = room?.title ?? "No space";
  parts.about.textContent = !room ? "" : bots.length ? `${room.room_type === "direct" ? "Direct, with" : "With"} ${bots.join(", ")}` : "No bot is in this space";
  parts.clear.hidden = !room || room.messages === 0;
  document.title = `${room?.title ?? "Spaces"} · Sandbox`;
  parts.menu.replaceChildren(make("span", { class: "bars", "aria-hidden": "true" }), make("span", { class: "unseen", text: "Spaces" }));
}

function showRooms(state) {
  const children = state.rooms.map((room) => {
    const isChosen = room.id === chosen.room && !searched;
    const unread = Math.max(0, room.posted - (seen.get(room.id) ?? 0));
    const version = `${room.title} ${unread} ${room.messages} ${isChosen}`;
    const known = rows.get(room.id);
    if (known?.version === version) return known.row;
    const row = known?.row ?? make("li", {}, make("a", { href: app.address("spaces", room.id), data: { room: room.id } }));
    const link = row.firstChild;
    link.replaceChildren(make("span", { class: "name", text: room.title }), unread > 0
      ? make("span", { class: "unread" }, unread > 999 ? "999+" : String(unread), make("span", { class: "unseen", text: " unread" }))
      : make("span", { class: "count", title: count(room.messages, "message"), text: number(room.messages) }));
    if (isChosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    rows.set(room.id, { version, row });
    return row;
  });
  reconcile(parts.rooms, children);
  const ids = new Set(state.rooms.map((room) => room.id));
  for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);
  const others = state.rooms.some((room) => room.id !== chosen.room && room.posted > (seen.get(room.id) ?? 0));
  parts.menu.classList.toggle("has-unread", others);
}

/** The reader is back: what came meanwhile has been looked at now. */
function looked() {
  if (!app.state || searched || app.state.room !== chosen.room) return;
  note(app.state.rooms.find((one) => one.id === chosen.room), app.state);
  showRooms(app.state);
}

/** What is shown to the end has been looked at. */
function note(room, state) {
  if (!room || document.hidden) return;
  const read = room.posted - state.later;
  if (seen.get(room.id) === read) return;
  seen.set(room.id, read);
  try {
    sessionStorage.setItem(SEEN, JSON.stringify([...seen]));
  } catch {
    // A browser that keeps nothing: a reload shows all as unread.
  }
}

function remembered() {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(SEEN) ?? "[]"));
  } catch {
    return new Map();
  }
}

// Search.

function search() {
  searched = parts.search.value.trim();
  if (!searched) messages.open(chosen.room);
  ask(true);
}

/** Whether there was a search to leave. */
function leaveSearch() {
  clearTimeout(timer);
  if (!searched && !parts.search.value) return false;
  parts.search.value = "";
  searched = "";
  messages.open(chosen.room);
  return true;
}

function showFound(state) {
  const titles = new Map(state.rooms.map((room) => [room.id, room.title]));
  const found = state.messages.toReversed().map((message) => showMessage(message, {
    limit: state.limit, isChosen: message.id === chosen.message, room: titles.get(message.room_id) ?? "",
    address: (...tab) => app.address("spaces", message.room_id, message.id, ...tab),
  }));
  parts.title.textContent = state.found === 0 ? "Nothing found" : `${count(state.found, "message")} found`;
  parts.about.textContent = state.found > found.length ? `the newest ${found.length} are shown` : "in all spaces, newest first";
  parts.clear.hidden = true;
  parts.found.replaceChildren(...found);
  if (parts.found.dataset.told !== parts.title.textContent) app.announce(parts.title.textContent);
  parts.found.dataset.told = parts.title.textContent;
}

async function clearRoom() {
  const room = app.state?.rooms.find((one) => one.id === chosen.room);
  if (!room) return;
  // The button asks once more instead of a dialog.
  if (parts.clear.dataset.sure !== room.id) {
    parts.clear.dataset.sure = room.id;
    parts.clear.textContent = `Delete ${count(room.messages, "message")}?`;
    parts.clear.className = "button small danger";
    setTimeout(resetClear, 4000);
    return;
  }
  resetClear();
  try {
    const { deleted } = await call(`/control/v1/rooms/${encodeURIComponent(room.id)}/messages`, { method: "DELETE" });
    app.tell(`${count(deleted, "message")} deleted.`);
  } catch (error) {
    app.fail(error);
  }
}

function resetClear() {
  delete parts.clear.dataset.sure;
  parts.clear.textContent = "Clear";
  parts.clear.className = "button small quiet";
}
