// What every part of the page is built from: elements, calls, numbers and times.
//
// All that comes from the server is untrusted. So text is set as text, a link leads to http,
// https or a place in this page, and there is no way to give `make` markup, a style or a
// handler by name.

/** The address, where it is one that a link may lead to; else null. */
export function webAddress(value) {
  try {
    const url = new URL(String(value));
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

const PROPERTIES = ["value", "checked", "disabled", "hidden", "indeterminate", "open", "selected"];

/**
 * An element. `options` holds `class`, `text`, `data` (an object), `on` (handlers by event),
 * properties such as `hidden`, and attributes by name; what is null or false is left out.
 */
export function make(name, options = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (value === null || value === undefined) continue;
    if (key === "class") element.className = value;
    else if (key === "text") element.textContent = value;
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "on") for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else if (PROPERTIES.includes(key)) element[key] = value;
    else if (key === "href") setLink(element, String(value));
    else if (/^(on|style$|srcdoc$)/i.test(key)) throw new Error(`make() sets no ${key}`);
    else if (value !== false) element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setLink(element, address) {
  if (address.startsWith("#/")) {
    element.setAttribute("href", address);
    return;
  }
  const href = webAddress(address);
  if (!href) return;
  element.setAttribute("href", href);
  element.setAttribute("target", "_blank");
  element.setAttribute("rel", "noopener noreferrer");
}

/** A button with a text; `options` as for `make`. */
export function button(text, onClick, options = {}) {
  return make("button", { type: "button", class: "button", ...options, on: { click: onClick, ...options.on } }, text);
}

/** A labelled control: `control` is an input, a select or a textarea. */
export function field(label, control, hint) {
  const id = control.id || `f${(field.count = (field.count ?? 0) + 1)}`;
  control.id = id;
  const parts = [make("label", { for: id, text: label }), control];
  if (hint) {
    parts.push(make("p", { class: "hint", id: `${id}-hint`, text: hint }));
    control.setAttribute("aria-describedby", `${id}-hint`);
  }
  return make("div", { class: "field" }, parts);
}

/** A select of `[value, text]` pairs or of texts. */
export function select(choices, options = {}) {
  const { value, ...rest } = options;
  const element = make("select", rest, choices.map((choice) => {
    const [key, text] = Array.isArray(choice) ? choice : [choice, choice];
    return make("option", { value: key, text });
  }));
  if (value !== undefined) element.value = value;
  return element;
}

/** A refusal of the server, in its words. */
export class CallError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Calls the server and gives its JSON, null where it has nothing to say (204).
 * `body` is sent as JSON. Fails with a CallError that a person can read.
 */
export async function call(path, { method, body, signal } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new CallError("The sandbox does not answer. Is it still running?", 0);
  }
  if (response.status === 204) return null;
  const text = await response.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CallError(`The sandbox answered ${response.status} with something that is no JSON.`, response.status);
  }
  if (!response.ok) throw new CallError(value?.message ?? `The sandbox answered ${response.status}.`, response.status);
  return value;
}

/** Shows an error in a place of its own, or clears it: `error` is an Error or null. */
export function showError(element, error) {
  element.hidden = !error;
  element.className = "failure";
  element.setAttribute("role", "alert");
  element.textContent = error ? error.message : "";
}

/** Puts `children` into `box` and moves none that stands where it should: moving loses focus. */
export function reconcile(box, children) {
  const wanted = new Set(children);
  for (const child of [...box.childNodes]) if (!wanted.has(child)) child.remove();
  let at = box.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else box.insertBefore(child, at);
  }
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const grouped = new Intl.NumberFormat();

export const number = (value) => grouped.format(value);
export const dayOf = (stamp) => day.format(new Date(stamp));
export const exactly = (stamp) => exact.format(new Date(stamp));

/** A time of day in the reader's zone; its title is the time as the server told it. */
export function time(stamp, text = clock.format(new Date(stamp))) {
  return make("time", { datetime: stamp, title: stamp, text });
}

/** "1 message", "2 messages". */
export function count(amount, one, many = `${one}s`) {
  return `${number(amount)} ${amount === 1 ? one : many}`;
}

/** How long, for people: "850 ms", "12 s", "3 min 20 s". */
export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min${seconds % 60 ? ` ${seconds % 60} s` : ""}`;
  return `${Math.floor(seconds / 3600)} h${seconds % 3600 >= 60 ? ` ${Math.floor((seconds % 3600) / 60)} min` : ""}`;
}
