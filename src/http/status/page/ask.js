// Asks the API again and again, and holds the credential that it is shown.
//
// The credential lives in this module and nowhere else: it is sent in a header, never in an
// address, and is gone with the tab. `credentials: "omit"` keeps the browser from asking for a
// name and a password by itself.

/** The API beside this file, whatever a proxy put before both. */
const API = new URL("../api/v1/status", import.meta.url);

const OFTEN_MS = 2_000;
/** Once nothing has changed for so many answers, it is asked less often. */
const QUIET_AFTER = 60;
const SELDOM_MS = 10_000;
const MOST_MS = 15_000;

let authorization = null;

/** Shows a token from now on, or a name and a password; null forgets it. */
export function show(credential) {
  if (credential === null) authorization = null;
  else if (credential.token !== undefined) authorization = `Bearer ${credential.token}`;
  else {
    const bytes = new TextEncoder().encode(`${credential.name}:${credential.password}`);
    authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
  }
}

export const isShown = () => authorization !== null;

/** How far the server's clock is ahead, in milliseconds. */
let ahead = 0;
export const serverNow = () => Date.now() + ahead;

/** An answer that is no status: its number, and the API's words. */
export class Refused extends Error {
  constructor(status, reason, message) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** Asks once. Null where nothing has changed since the answer with this tag. */
async function ask(parameters, tag, signal) {
  const url = new URL(API);
  url.search = new URLSearchParams(parameters);
  const headers = {};
  if (authorization) headers.Authorization = authorization;
  if (tag) headers["If-None-Match"] = tag;
  const response = await fetch(url, { headers, signal, credentials: "omit", cache: "no-store", redirect: "error" });
  const date = Date.parse(response.headers.get("Date"));
  // The header has whole seconds: less than that is no difference.
  if (!Number.isNaN(date)) ahead = Math.abs(date - Date.now()) < 2_000 ? 0 : date - Date.now();
  if (response.status === 304) return null;
  const text = await response.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(response.status, "", `The answer (${response.status}) is no status. A proxy may stand in between.`);
  }
  if (!response.ok) throw new Refused(response.status, value.reason ?? "", value.message ?? `The answer was ${response.status}.`);
  return { value, tag: response.headers.get("ETag") };
}

/**
 * Asks until told otherwise: `parameters()` says for what, `told(value)` is called with each
 * status that is new, `alive()` after each answer, `failed(error)` when there is none.
 * Asks nothing while the page is hidden, and nothing more once it was refused (4xx) until `again`.
 */
export function follow({ parameters, told, alive, failed }) {
  let timer = null;
  let under = null;
  let tag = null;
  let unchanged = 0;
  let failures = 0;

  const later = (milliseconds) => {
    clearTimeout(timer);
    timer = document.hidden ? null : setTimeout(once, milliseconds);
  };

  async function once() {
    under?.abort();
    const mine = new AbortController();
    under = mine;
    try {
      const answer = await ask(parameters(), tag, mine.signal);
      if (under !== mine) return;
      failures = 0;
      unchanged = answer ? 0 : unchanged + 1;
      if (answer) {
        tag = answer.tag;
        told(answer.value);
      }
      alive();
      later(unchanged > QUIET_AFTER ? SELDOM_MS : OFTEN_MS);
    } catch (error) {
      if (under !== mine || error.name === "AbortError") return;
      tag = null;
      failures += 1;
      failed(error);
      const isFinal = error instanceof Refused && error.status >= 400 && error.status < 500;
      if (!isFinal) later(Math.min(OFTEN_MS * 2 ** (failures - 1), MOST_MS));
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      clearTimeout(timer);
      timer = null;
    } else if (timer === null) {
      unchanged = 0;
      once();
    }
  });

  const again = () => {
    tag = null;
    unchanged = 0;
    once();
  };
  again();
  return { again };
}
