// The shell of the page: which view is shown, and what has changed on the server.
//
// A view is a module of this folder with
//
//     export function mount(element, app, path)   // fill `element`, which is empty
//     export function route(path)                 // the rest of the address has changed; may be left out
//     export function unmount()                   // stop timers and listeners; `element` is emptied
//
// and a row in VIEWS. Its address is `#/ID/…`; `path` is what follows the id, cut at slashes and
// decoded. Its files get a row in the table of `page.rs`, its style sheet a line in `index.html`.
// `app` is what a view knows of the rest:
//
//     app.state          rooms, bots, faults and `dev` as of the last change; null before the first
//     app.onState(f)     calls f(state) now, if there is one, and after each change; gives a function that ends it
//     app.setQuery(q)    more to ask for with each change (`room`, …), or null
//     app.refresh()      asks again now; a promise
//     app.go(...parts)   to `#/parts[0]/parts[1]…`
//     app.address(...p)  that address, for links
//     app.tell(text)     a note that goes away by itself; app.fail(error) one in red
//     app.announce(text) for screen readers only
//
// What is shown is untrusted: see ui.js, which has all that is needed to show it.

import { call, count, make } from "./ui.js";

const VIEWS = [
  { id: "spaces", title: "Spaces", load: () => import("./spaces.js") },
  { id: "playground", title: "Playground", dev: true, load: () => import("./playground.js") },
  { id: "samples", title: "Send a sample", dev: true, load: () => import("./samples.js") },
  { id: "receiver", title: "Receiver", dev: true, load: () => import("./receiver.js") },
  { id: "chaos", title: "Chaos", load: () => import("./chaos.js") },
];

/** How often to ask where the stream of changes is not to be had. */
const ASK_EVERY_MS = 1500;
/** At most one question in this time, however much changes. */
const PAUSE_MS = 60;
const TOAST_MS = 6000;

const at = (id) => document.getElementById(id);
const place = { main: at("main"), tabs: at("tabs"), link: at("link"), faults: at("faults"), toasts: at("toasts"), announcer: at("announcer") };

const listeners = new Set();
let query = null;
let current = null;

const app = {
  state: null,
  onState(listener) {
    listeners.add(listener);
    if (app.state) listener(app.state);
    return () => listeners.delete(listener);
  },
  setQuery(parameters) {
    query = parameters;
  },
  refresh: () => update(),
  address: (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`,
  go(...parts) {
    location.hash = app.address(...parts);
  },
  tell: (text) => toast(text, "toast", "status"),
  fail: (error) => toast(error.message, "toast danger", "alert"),
  announce(text) {
    // The same text twice is said once, unless it was gone in between.
    place.announcer.textContent = "";
    requestAnimationFrame(() => { place.announcer.textContent = text; });
  },
};

function toast(text, className, role) {
  const close = make("button", { type: "button", class: "close", "aria-label": "Close", text: "×" });
  const note = make("div", { class: className, role }, make("p", { text }), close);
  close.addEventListener("click", () => note.remove());
  place.toasts.append(note);
  while (place.toasts.children.length > 4) place.toasts.firstElementChild.remove();
  setTimeout(() => note.remove(), TOAST_MS);
}

// Views.

const isShown = (view) => !view.dev || app.state?.dev === true;

function showTabs() {
  const shown = VIEWS.filter(isShown);
  place.tabs.replaceChildren(...shown.map((view) => make("a", {
    href: app.address(view.id), text: view.title, class: "tab", data: { view: view.id },
    "aria-current": current?.view === view ? "page" : null,
  })));
}

async function show() {
  const hash = location.hash;
  // A link to a place in the page, such as the one that skips the header.
  if (current && hash && !hash.startsWith("#/")) return;
  const [id, ...path] = hash.slice(2).split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const view = VIEWS.find((known) => known.id === id && isShown(known)) ?? VIEWS[0];
  if (current?.view === view) {
    current.module?.route?.(path);
    return;
  }
  current?.module?.unmount();
  const mine = { view, module: null };
  current = mine;
  query = null;
  place.main.replaceChildren();
  place.main.className = view.id;
  // What scrolls must be reached by keyboard, even where it holds nothing to press.
  place.main.tabIndex = ["auto", "scroll"].includes(getComputedStyle(place.main).overflowY) ? 0 : -1;
  document.title = `${view.title} · Sandbox`;
  if (app.state) markTab();
  try {
    const module = await view.load();
    if (current !== mine) return;
    mine.module = module;
    module.mount(place.main, app, path);
  } catch (error) {
    if (current === mine) place.main.replaceChildren(make("p", { class: "failure", role: "alert", text: `This view cannot be shown: ${error.message}` }));
  }
}

function markTab() {
  for (const tab of place.tabs.children) {
    if (tab.dataset.view === current?.view.id) {
      tab.setAttribute("aria-current", "page");
      // On a phone there is no room for all.
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else tab.removeAttribute("aria-current");
  }
}

// Changes.

let asking = null;
let isStale = false;

/** Asks what there is now; calls that come meanwhile become one more question. */
function update() {
  if (asking) {
    isStale = true;
    return asking;
  }
  asking = (async () => {
    try {
      do {
        isStale = false;
        await ask();
        if (isStale) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      } while (isStale);
    } finally {
      asking = null;
    }
  })();
  return asking;
}

async function ask() {
  const asked = query;
  const parameters = new URLSearchParams(asked ?? {});
  let state;
  try {
    state = await call(`/control/v1/state?${parameters}`);
  } catch (error) {
    showLink(false);
    throw error;
  }
  // The view has changed its mind meanwhile: this answer is not for it.
  if (asked !== query) {
    isStale = true;
    return;
  }
  // Nothing has changed since the revision that the view knows.
  if (state === null) return;
  const isFirst = app.state === null;
  const hadDev = app.state?.dev;
  app.state = state;
  if (isFirst || hadDev !== state.dev) {
    showTabs();
    show();
  }
  showFaults(state.faults.length);
  for (const listener of [...listeners]) listener(state);
}

function showFaults(amount) {
  const text = amount > 0 ? `${count(amount, "fault")} active` : "";
  place.faults.hidden = amount === 0;
  if (place.faults.textContent !== text) place.faults.textContent = text;
}

function showLink(isLive) {
  const text = isLive ? "Live" : "Not connected, trying again";
  // Said only when it changes: it is a live region.
  if (place.link.textContent !== text) place.link.textContent = text;
  place.link.className = isLive ? "link live" : "link lost";
}

let timer = null;
let start = null;
function listen() {
  const events = new EventSource("/control/v1/events");
  const changed = () => update().then(() => showLink(true), () => {});
  events.addEventListener("open", () => {
    clearInterval(timer);
    timer = null;
    changed();
  });
  events.addEventListener("change", ({ lastEventId }) => {
    // `START-REVISION`. A sandbox that was started again counts anew, and may be a newer one
    // with another page: nothing that is known here holds.
    const [told] = lastEventId.split("-");
    if (start !== null && told !== start) location.reload();
    start = told;
    changed();
  });
  events.addEventListener("error", () => {
    timer ??= setInterval(changed, ASK_EVERY_MS);
    // The browser gives up for good where the answer is no stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 10 * ASK_EVERY_MS);
  });
}

addEventListener("hashchange", show);
show();
update().then(() => showLink(true), () => {});
listen();
