// The shell of the page: what is wrong comes first, then the bots, then the receivers.
//
// The address holds what is looked at: `?receiver=NAME` for one receiver, else `?filter=…`,
// `?state=…` and `?limit=…`. What is shown is untrusted: see ui.js, which sets it as text.

import { Refused, follow, isShown, serverNow, show } from "./ask.js";
import { Receivers } from "./receivers.js";
import { button, count, exactly, field, make, number } from "./ui.js";
import { ago, day, explained, quoted, tick, until } from "./words.js";

const at = (id) => document.getElementById(id);
const place = Object.fromEntries(["link", "verdict", "door", "configuration", "bots", "receivers", "about"].map((id) => [id, at(id)]));

const address = new URL(location.href);
/** The one receiver that is looked at, or null. */
const only = address.searchParams.get("receiver");

// What is asked for.

const asked = Object.fromEntries(["filter", "state", "limit"].map((key) => [key, address.searchParams.get(key) ?? ""]));

function parameters() {
  if (only !== null) return { receiver: only };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ""));
}

function change(more) {
  Object.assign(asked, more);
  for (const [key, value] of Object.entries(asked)) {
    if (value === "") address.searchParams.delete(key);
    else address.searchParams.set(key, value);
  }
  history.replaceState(null, "", address);
  following.again();
}

/** The address of one receiver's own view. */
const ownView = (name) => `${location.pathname}?${new URLSearchParams({ receiver: name })}`;

/** What each part of the page was made of: it is made anew only when that has changed. */
const made = new Map();

function isShownAlready(part, value) {
  const text = JSON.stringify(value);
  if (made.get(part) === text) return true;
  made.set(part, text);
  return false;
}

// The verdict: one sentence.

function verdict(status) {
  const { summary, receivers: [first] } = status;
  if (status.state === "stopping") return ["waiting", "This process is about to end", "What has begun is finished; Alertmanager keeps the rest for the next process."];
  if (only !== null) return ofOne(first);
  const troubled = status.bots.filter((bot) => bot.trouble);
  const also = [];
  if (summary.waiting_notifications > 0) also.push(`${count(summary.waiting_notifications, "notification")} ${summary.waiting_notifications === 1 ? "waits" : "wait"}`);
  if (status.configuration.refused_at) also.push("the configuration was refused");
  if (troubled.length > 0) also.push(`${count(troubled.length, "bot")} cannot send as usual`);
  const besides = sentence(also);
  if (summary.failing > 0) return ["failing", `${number(summary.failing)} of ${count(summary.receivers, "receiver")} ${summary.failing === 1 ? "fails" : "fail"}`, besides];
  if (status.configuration.refused_at) return ["failing", "The configuration was refused", "The one before it still counts. What is wrong stands below."];
  if (summary.rejected > 0) return ["rejected", `Requests for ${count(summary.rejected, "receiver")} are refused`, besides];
  if (summary.waiting > 0) return ["waiting", `Notifications of ${count(summary.waiting, "receiver")} wait`, besides];
  if (troubled.length > 0) return ["rejected", `${count(troubled.length, "bot")} cannot send as usual`, "No notification waits for it now."];
  if (summary.ok === 0) return ["unused", "No notification came yet", `Since ${exactly(status.started_at)}.`];
  return ["ok", "All is well", `What came for ${summary.ok === summary.receivers ? "each receiver" : `${number(summary.ok)} of ${count(summary.receivers, "receiver")}`} was delivered.`];
}

function ofOne(receiver) {
  switch (receiver.state) {
    case "failing": return ["failing", "Not delivered", ""];
    case "rejected": return ["rejected", "The last request was refused", "It did not become a notification. Why stands below; if it was not yours, somebody else tries."];
    case "waiting": return ["waiting", `${count(receiver.waiting_notifications, "notification")} ${receiver.waiting_notifications === 1 ? "waits" : "wait"}`, ""];
    case "ok": return ["ok", "All is well", "The last notification was delivered."];
    default: return ["unused", "No notification came yet", "Since the process started. Look at Alertmanager: does it send here, and to this receiver?"];
  }
}

const sentence = (parts) => (parts.length === 0 ? "" : `${parts.join(", ").replace(/^./, (first) => first.toUpperCase())}.`);

function showVerdict(status) {
  const [state, text, more] = verdict(status);
  place.verdict.hidden = false;
  document.title = `${text} · ${only ?? "alertmanager-webex"}`;
  if (isShownAlready("verdict", [state, text, more])) return;
  place.verdict.className = `verdict ${state}`;
  place.verdict.replaceChildren(
    make("span", { class: "lamp", "aria-hidden": "true" }),
    make("div", {}, make("h2", { text }), more ? make("p", { text: more }) : null),
  );
}

// What is wrong with the configuration.

function showConfiguration({ configuration }) {
  place.configuration.hidden = place.configuration.childElementCount === 0;
  if (isShownAlready("configuration", configuration)) return;
  const { refused_at, errors, warnings, restart_needed_for: restart } = configuration;
  const parts = [];
  if (refused_at && only !== null) {
    parts.push(make("p", { class: "panel" }, "The platform's newest configuration was refused ", ago(refused_at), ". The one of ", day(configuration.loaded_at), " still counts."));
  } else if (refused_at) {
    parts.push(make("div", { class: "panel failing" },
      make("h2", { text: "The configuration was refused" }),
      make("p", {}, "Read ", ago(refused_at), ". The one of ", day(configuration.loaded_at), " still counts."),
      errors ? errors.map((error) => make("pre", { text: error, tabindex: "0" })) : make("p", { text: "What is wrong is told on the machine itself, or to whoever has the platform's token." })));
  }
  if (warnings?.length) {
    parts.push(make("details", { class: "panel quiet" },
      make("summary", { text: `The configuration has ${count(warnings.length, "warning")}` }),
      warnings.map((warning) => make("pre", { text: warning, tabindex: "0" }))));
  }
  if (restart?.length) {
    parts.push(make("p", { class: "panel waiting" }, "These changes count only after a restart: ", quoted(restart.map((key) => `\`${key}\``).join(", "))));
  }
  place.configuration.hidden = parts.length === 0;
  place.configuration.replaceChildren(...parts);
}

// Bots: those with trouble in full, the others in a table that is folded away.

function showBots({ bots }) {
  place.bots.hidden = place.bots.childElementCount === 0;
  if (isShownAlready("bots", bots)) return;
  const wasOpen = place.bots.querySelector("details")?.open ?? false;
  const troubled = bots.filter((bot) => bot.trouble || bot.gate_closed_until).map((bot) => make("div", { class: `panel ${bot.gate_closed_until ? "waiting" : "failing"}` },
    make("h2", {}, bot.kind === "bot" ? "Bot " : "Webhook ", make("code", { text: bot.name }), bot.gate_closed_until ? " is held back by Webex" : " cannot send"),
    bot.gate_closed_until
      ? make("p", {}, "Webex limits its rate. It may post again ", until(bot.gate_closed_until), ". What waits is sent then; there is nothing to do.")
      : make("p", {}, explained(bot.trouble.message)),
    bot.waiting_messages === undefined ? null : make("p", { class: "soft", text: `${count(bot.waiting_messages, "message")} ${bot.waiting_messages === 1 ? "waits" : "wait"} for it.` })));
  const shown = bots.filter((bot) => bot.waiting_messages !== undefined);
  const table = shown.length === 0 ? null : make("details", { class: "panel quiet", open: wasOpen },
    make("summary", { text: kinds(shown) }),
    make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table of bots and webhooks" }, make("table", {},
      make("thead", {}, make("tr", {}, ["Name", "Waiting", "In flight", "Pace", "Token"].map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, shown.map(row)))));
  place.bots.hidden = troubled.length === 0 && !table;
  place.bots.replaceChildren(...[...troubled, table].filter(Boolean));
}

function kinds(bots) {
  const webhooks = bots.filter((bot) => bot.kind === "webhook").length;
  const parts = [count(bots.length - webhooks, "bot")];
  if (webhooks > 0) parts.push(count(webhooks, "webhook"));
  const busy = bots.reduce((sum, bot) => sum + bot.waiting_messages, 0);
  return `${parts.join(", ")}${busy > 0 ? `: ${count(busy, "message")} waiting` : ""}`;
}

const row = (bot) => make("tr", {},
  make("th", { scope: "row" }, make("code", { text: bot.name }), bot.kind === "webhook" ? " webhook" : null, bot.removed ? " (removed; sends what waits)" : null),
  make("td", { text: number(bot.waiting_messages) }),
  make("td", { text: number(bot.requests_in_flight) }),
  make("td", { text: pace(bot.pace_messages_per_second) }),
  make("td", {}, bot.token_valid_until ? ["valid until ", day(bot.token_valid_until)] : bot.trouble?.reason === "token_refused" ? "refused" : "—"));

const pace = (perSecond) => (perSecond >= 1 ? `${number(Math.round(perSecond * 10) / 10)} a second` : `${number(Math.round(perSecond * 60))} a minute`);

// The door: what is asked for, and a form for it.

function showDoor(error) {
  const isLocked = error.reason === "locked_out";
  const needsCredential = error.status === 401;
  const wasWrong = needsCredential && isShown();
  if (needsCredential) show(null);
  // It asks again by itself while it is locked out: what is being typed stays.
  else if (!place.door.hidden && isShownAlready("door", [error.status, error.message])) return;
  for (const id of ["verdict", "configuration", "bots", "receivers", "about"]) place[id].hidden = true;
  const parts = [];
  if (needsCredential) parts.push(credentialForm(wasWrong));
  else parts.push(make("div", { class: `panel ${isLocked ? "waiting" : "failing"}`, role: "alert" }, make("h2", { text: isLocked ? "Wait a moment" : "Nothing to show here" }), make("p", {}, explained(error.message))));
  if (only === null) parts.push(receiverForm());
  place.door.hidden = false;
  place.door.replaceChildren(...parts);
  place.door.querySelector("input")?.focus();
}

function credentialForm(wasWrong) {
  const token = make("input", { type: "password", autocomplete: "off", spellcheck: "false", name: "token" });
  const name = make("input", { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", name: "name" });
  const password = make("input", { type: "password", autocomplete: "off", name: "password" });
  const ways = [make("div", {}, field("Token", token)), make("div", { class: "pair" }, field("Name", name), field("Password", password))];
  const chosen = make("div", {}, ways[0]);
  const choices = ["Token", "Name and password"].map((text, index) => button(text, () => {
    chosen.replaceChildren(ways[index]);
    choices.forEach((choice, other) => choice.setAttribute("aria-pressed", String(other === index)));
    (index === 0 ? token : name).focus();
  }, { class: null, "aria-pressed": String(index === 0) }));
  const what = only === null
    ? ["The status of all receivers asks for the platform's token, which is in ", make("code", { text: "server.admin_bearer_token_file" }), "."]
    : ["Receiver ", make("code", { text: only || "default" }), " shows its status to whoever may post to it: show what Alertmanager shows."];
  return make("form", { class: "panel", on: { submit: (event) => {
    event.preventDefault();
    show(chosen.contains(ways[0]) ? { token: token.value } : { name: name.value, password: password.value });
    following.again();
  } } },
  make("h2", { text: "Who are you?" }),
  make("p", {}, what),
  make("div", { class: "segments", role: "group", "aria-label": "What to show" }, choices),
  chosen,
  wasWrong ? make("p", { class: "failure", role: "alert", text: "That was not right. Compare it with what you were given; blanks count." }) : null,
  make("p", { class: "hint", text: "It is kept in this tab's memory alone, and is gone when you close or reload it." }),
  make("button", { type: "submit", class: "button primary", text: "Show the status" }));
}

function receiverForm() {
  const name = make("input", { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", name: "receiver", required: true });
  return make("form", { class: "panel", on: { submit: (event) => {
    event.preventDefault();
    location.assign(ownView(name.value));
  } } },
  make("h2", { text: "Only your receiver?" }),
  field("Its name", name, "What stands behind /alertmanager/ in the webhook's URL"),
  make("button", { type: "submit", class: "button", text: "Show it" }));
}

// The foot of the page.

function showAbout(status) {
  place.about.hidden = false;
  const { version, revision, started_at, configuration } = status;
  const parts = [
    `alertmanager-webex ${version}${revision ? ` (${revision.slice(0, 12)})` : ""}`,
    make("span", {}, "running for ", ago(started_at, "")),
    make("span", {}, "configuration of ", day(configuration.loaded_at)),
  ];
  if (only !== null) parts.push(make("a", { "data-all": "", text: "all receivers" }));
  if (isShown()) parts.push(button("Forget the credential", () => { show(null); following.again(); }, { class: "button small" }));
  place.about.replaceChildren(...parts.map((part) => (typeof part === "string" ? make("span", { text: part }) : part)));
  place.about.querySelector("a[data-all]")?.setAttribute("href", location.pathname);
}

// Life.

function showLink(isLive) {
  const text = isLive ? "Live" : "Not connected, trying again";
  if (place.link.textContent !== text) place.link.textContent = text;
  place.link.className = isLive ? "link live" : "link lost";
}

let process = null;
const list = new Receivers(place.receivers, { asked, change, ownView, only });

const following = follow({
  parameters,
  told(status) {
    // Another version of the program has another page.
    const mine = `${status.version} ${status.revision}`;
    if (process !== null && process !== mine) location.reload();
    process = mine;
    place.door.hidden = true;
    place.door.replaceChildren();
    showVerdict(status);
    showConfiguration(status);
    showBots(status);
    list.show(status);
    showAbout(status);
  },
  alive: () => showLink(true),
  failed(error) {
    const isAnswer = error instanceof Refused && (error.status < 500 || error.reason === "locked_out");
    showLink(isAnswer);
    if (isAnswer) showDoor(error);
  },
});

setInterval(() => { if (!document.hidden) tick(serverNow()); }, 1_000);
