// Shows an Adaptive Card: the elements that alerts need. What it does not know is named instead
// of shown.
//
// A card is untrusted. Everything is set as text, links lead to http and https only, nothing is
// loaded, and words of the card choose among known classes and never become one.

import { inline, paragraphs } from "./cardtext.js";
import { make, webAddress } from "./ui.js";

/** Nested no deeper than this; Webex would not take it. */
const DEEPEST = 16;
/** No card that Webex takes has more. */
const MOST_ELEMENTS = 500;

const list = (value) => (Array.isArray(value) ? value : []);
/** A card is anybody's: where a text should be, an object may be, and even one that cannot be told. */
const words = (value) => (["string", "number", "boolean"].includes(typeof value) ? String(value) : "");
const known = (value, names, prefix = "") => {
  const name = words(value).toLowerCase();
  return names.includes(name) ? ` ${prefix}${name}` : "";
};

const COLOURS = ["good", "warning", "attention", "accent"];
const SIDES = ["center", "right"];

function textBlock(block) {
  const classes = "ac-text"
    + known(block.size, ["small", "medium", "large", "extralarge"])
    + known(block.weight, ["lighter", "bolder"])
    + known(block.color, COLOURS)
    + known(block.fontType, ["monospace"])
    + known(block.horizontalAlignment, SIDES)
    + (block.isSubtle ? " subtle" : "") + (block.wrap ? "" : " cut");
  return make("div", { class: classes }, paragraphs(words(block.text)));
}

function richText(block) {
  const runs = list(block.inlines).map((run) => {
    if (typeof run === "string") return run;
    const classes = `ac-run${known(run?.weight, ["bolder"])}${known(run?.color, COLOURS)}${known(run?.fontType, ["monospace"])}${run?.italic ? " italic" : ""}${run?.isSubtle ? " subtle" : ""}`;
    return make("span", { class: classes, text: words(run?.text) });
  });
  return make("p", { class: `ac-text${known(block.horizontalAlignment, SIDES)}` }, runs);
}

function factSet(set) {
  const facts = list(set.facts).flatMap((fact) => [
    make("dt", {}, inline(words(fact?.title))),
    make("dd", {}, inline(words(fact?.value))),
  ]);
  return make("dl", { class: "ac-facts" }, facts);
}

function columnSet(set, room) {
  const columns = list(set.columns).map((column) => {
    const width = words(column?.width ?? "stretch").toLowerCase() === "auto" ? " auto" : "";
    return make("div", { class: `ac-column${width}` }, elements(column?.items, room));
  });
  return make("div", { class: "ac-columns" }, columns);
}

function container(item, room) {
  const style = known(item.style, ["emphasis", ...COLOURS]);
  return make("div", { class: `ac-container${style}` }, elements(item.items, room));
}

/** Nothing is loaded from other hosts, so a picture is its description. */
function image(item) {
  const host = webAddress(item.url) ? new URL(item.url).host : "";
  const text = words(item.altText) || "no description";
  return make("p", { class: "ac-image", title: host ? `A picture from ${host}, which the sandbox does not load` : "A picture, which the sandbox does not load" },
    make("span", { class: "ac-picture", "aria-hidden": "true" }), make("span", { text: `Image: ${text}` }));
}

/** The buttons, and the cards that they open. */
function actions(all, room) {
  const row = make("div", { class: "ac-actions" });
  const opened = make("div", { class: "ac-opened" });
  for (const action of list(all)) {
    const title = words(action?.title) || "(no title)";
    if (action?.type === "Action.OpenUrl" && webAddress(action.url)) {
      row.append(make("a", { class: "ac-button", href: action.url, text: title }));
    } else if (action?.type === "Action.ShowCard" && room.depth < DEEPEST) {
      const inner = make("div", { class: "ac-shown", hidden: true },
        cardContent(action.card, { ...room, depth: room.depth + 1 }));
      const opener = make("button", { type: "button", class: "ac-button opens", "aria-expanded": "false", text: title });
      opener.addEventListener("click", () => {
        const opens = inner.hidden;
        // One card is open at a time.
        for (const other of opened.children) other.hidden = true;
        for (const other of row.querySelectorAll("[aria-expanded]")) other.setAttribute("aria-expanded", "false");
        inner.hidden = !opens;
        opener.setAttribute("aria-expanded", String(opens));
      });
      row.append(opener);
      opened.append(inner);
    } else {
      const why = action?.type === "Action.OpenUrl" ? "Its address leads nowhere on the web" : `${words(action?.type) || "No type"}: does nothing here`;
      row.append(make("span", { class: "ac-button dead", title: why, text: title }));
    }
  }
  return make("div", {}, row, opened);
}

function element(item, room) {
  switch (item?.type) {
    case "TextBlock": return textBlock(item);
    case "RichTextBlock": return richText(item);
    case "FactSet": return factSet(item);
    case "ColumnSet": return columnSet(item, room);
    case "Container": return container(item, room);
    case "ActionSet": return actions(item.actions, room);
    case "Image": return image(item);
    case "ImageSet": return make("div", { class: "ac-images" }, list(item.images).slice(0, 20).map(image));
    default: return make("p", { class: "ac-text subtle", text: `(${words(item?.type) || "nothing"}: not shown here)` });
  }
}

function elements(items, room) {
  if (room.depth > DEEPEST) return [];
  const inside = { ...room, depth: room.depth + 1 };
  return list(items).filter((item) => item?.isVisible !== false && room.budget.left-- > 0).map((item) => {
    const shown = element(item, inside);
    shown.className += known(item?.spacing, ["none", "small", "medium", "large", "extralarge"], "space-");
    if (item?.separator === true) shown.className += " separator";
    return shown;
  });
}

function cardContent(content, room) {
  const parts = elements(content?.body, room);
  if (list(content?.actions).length > 0) parts.push(actions(content.actions, room));
  return parts;
}

/** An element that shows the `content` of a card's attachment. */
export function showCard(content) {
  const room = { depth: 0, budget: { left: MOST_ELEMENTS } };
  return make("div", { class: "ac" }, cardContent(content, room));
}
