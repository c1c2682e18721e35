// What the receiver is doing: bots and their gates, what waits, how deliveries ended, and what
// Alertmanager was answered. Asked each second while somebody looks.

import { kind, roomsOf } from "./result.js";
import { call, count, duration, exactly, make, number, reconcile, showError, time } from "./ui.js";

const EVERY_MS = 1000;

let app = null;
let parts = null;
let timer = null;
let isAsking = false;
let isMounted = false;
let configured = [];
/** Rows by key, so that what has not changed stays and can be selected. */
const rows = new Map();

export function mount(element, theApp) {
  app = theApp;
  isMounted = true;
  rows.clear();
  parts = {
    failure: make("p", { hidden: true }), bots: make("div", { class: "cards" }), receivers: make("ul", { class: "lines" }),
    underway: make("ul", { class: "lines" }), outcomes: make("ul", { class: "lines" }), answers: make("ul", { class: "lines" }), waiting: make("span", { class: "badge plain" }),
  };
  const panel = (title, hint, ...inside) => make("section", { class: "panel", "aria-label": title }, make("div", { class: "panel-head" }, make("h3", { text: title }), inside.length > 1 ? inside[0] : null), make("p", { class: "hint", text: hint }), inside.at(-1));
  // There may be nothing in it that takes the focus, and it must scroll by keyboard as well.
  element.append(make("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "What the receiver is doing" }, make("div", { class: "receiver-page" },
    make("header", { class: "page-head" }, make("h2", { text: "Receiver" }), make("p", { text: "What the service in this process is doing now. Times are as it sees them." })),
    parts.failure,
    panel("Bots", "Everything that a bot sends waits while its gate is closed.", parts.bots),
    panel("Receivers", "Notifications that have not ended.", parts.waiting, parts.receivers),
    panel("Under way", "The oldest first.", parts.underway),
    panel("Answers to Alertmanager", "The newest first. It sends again what was answered with 5xx, and only that.", parts.answers),
    panel("Outcomes", "How deliveries ended, the newest first.", parts.outcomes))));
  ask();
  timer = setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", ask);
}

export function unmount() {
  isMounted = false;
  clearInterval(timer);
  document.removeEventListener("visibilitychange", ask);
}

async function ask() {
  if (isAsking || document.visibilityState !== "visible") return;
  isAsking = true;
  try {
    if (configured.length === 0) configured = await call("/dev/v1/receivers");
    const standing = await call("/dev/v1/receiver");
    if (!isMounted) return;
    showError(parts.failure, null);
    show(standing);
  } catch (error) {
    if (isMounted) showError(parts.failure, error);
  } finally {
    isAsking = false;
  }
}

/** A row that is made anew only where `content` has changed. */
function row(key, content, build) {
  const version = JSON.stringify(content);
  const known = rows.get(key);
  if (known?.version === version) return known.element;
  const element = build();
  rows.set(key, { version, element });
  return element;
}

function list(box, entries, none) {
  const shown = entries.length > 0 ? entries : [row(`none ${none}`, "", () => make("li", { class: "hint", text: none }))];
  reconcile(box, shown);
}

function show(standing) {
  parts.waiting.textContent = count(standing.waiting, "notification");
  parts.waiting.className = standing.waiting > 0 ? "badge warning" : "badge plain";
  reconcile(parts.bots, standing.bots.map((bot) => showBot(bot, standing.now)));
  list(parts.receivers, standing.receivers.map(showReceiver), "No receiver is configured.");
  list(parts.underway, standing.underway.map((one) => row(`u${one.delivery}`, [one.messages, Math.floor(one.waited_ms / 1000)], () => make("li", {},
    make("div", { class: "line-head" }, make("strong", { text: one.receiver }), make("span", { class: "group", text: one.group }), make("span", { class: "line-end", text: `waits ${duration(Math.floor(one.waited_ms / 1000) * 1000)}` })),
    one.messages > 0 ? make("p", { class: "hint", text: `Webex has ${count(one.messages, "message")} of it` }) : null))), "Nothing is under way.");
  list(parts.answers, standing.answers.map((answer, index) => row(`a${standing.answers.length - index} ${answer.at}`, answer, () => make("li", {},
    make("div", { class: "line-head" }, make("span", { class: `badge ${kind(answer.status)}`, text: String(answer.status) }), make("strong", { text: answer.reason }), make("span", { class: "group", text: answer.receiver }), make("span", { class: "line-end" }, time(answer.at, clock(answer.at)))),
    make("p", { text: answer.message })))), "Nobody has asked yet. Send a sample, or let an Alertmanager send.");
  list(parts.outcomes, standing.outcomes.map((ended) => row(`o${ended.delivery}`, ended, () => make("li", {},
    make("div", { class: "line-head" }, make("span", { class: `badge ${mood(ended.reason)}`, text: ended.reason }), make("strong", { text: ended.receiver }), make("span", { class: "group", text: ended.group }),
      make("span", { class: "line-end" }, `after ${duration(ended.took_ms)} · `, time(ended.at, clock(ended.at)))),
    make("p", {}, ended.message, " ", ended.messages.slice(0, 5).map((message) => make("a", { href: app.address("spaces", message.room, message.id), text: "See it", "aria-label": `See the message of ${exactly(ended.at)}` })))))), "Nothing has ended yet.");
}

const clockText = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const clock = (stamp) => clockText.format(new Date(stamp));

function mood(reason) {
  if (["delivered", "duplicate", "dry_run"].includes(reason)) return "success";
  return ["partial", "superseded", "draining", "waiting"].includes(reason) ? "warning" : "danger";
}

function showReceiver(one) {
  const found = configured.find((receiver) => receiver.name === one.name);
  const oldest = one.oldest_ms === null ? null : Math.floor(one.oldest_ms / 1000);
  return row(`r${one.name}`, [one.waiting, oldest, found], () => make("li", {}, make("div", { class: "line-head" },
    make("strong", { text: one.name }),
    make("span", { class: "group", text: found ? `template ${found.template} → ${roomsOf(app, found)}${found.dry_run ? ", dry run" : ""}` : "" }),
    make("span", { class: "line-end", text: one.waiting > 0 ? `${number(one.waiting)} waiting, the oldest for ${duration(oldest * 1000)}` : "nothing waits" }))));
}

function showBot(bot, now) {
  const left = bot.gate_closed_until ? Math.max(0, Math.ceil((new Date(bot.gate_closed_until) - new Date(now)) / 1000)) : 0;
  const gate = left > 0 ? `closed for ${duration(left * 1000)}` : "open";
  const fact = (name, value) => [make("dt", { text: name }), make("dd", { text: value })];
  return row(`b${bot.name}`, [bot.waiting, bot.in_flight, gate, bot.trouble, bot.pace_per_second.toFixed(1)], () => make("article", { class: left > 0 || bot.trouble ? "bot-card wrong" : "bot-card", "aria-label": `Bot ${bot.name}` },
    make("div", { class: "line-head" }, make("h4", { text: bot.name }), make("span", { class: `badge ${left > 0 ? "danger" : "success"}`, text: `Gate ${gate}` })),
    make("dl", { class: "facts" }, fact("Messages waiting", number(bot.waiting)), fact("Requests under way", number(bot.in_flight)), fact("Pace", `${bot.pace_per_second.toFixed(1)} a second at most`)),
    bot.trouble ? make("p", { class: "trouble", text: bot.trouble }) : null));
}
