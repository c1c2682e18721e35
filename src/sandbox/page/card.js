// Shows an Adaptive Card: the elements that alerts need, simply. What it does not know is named
// instead of shown.
//
// A card is untrusted. Everything is set as text, links lead to http and https only, and words
// of the card choose among known classes and never become one.

import { webAddress } from "./ui.js";

const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

const list = (value) => (Array.isArray(value) ? value : []);
const known = (value, names) => {
  const name = String(value ?? "").toLowerCase();
  return names.includes(name) ? ` ${name}` : "";
};

function link(text, address) {
  const href = webAddress(address);
  if (!href) return document.createTextNode(text);
  const anchor = make("a", "", text);
  Object.assign(anchor, { href, target: "_blank", rel: "noopener noreferrer" });
  return anchor;
}

/** Bold, italic and links, which is what cards know of Markdown. */
function inline(text) {
  const nodes = [];
  const marks = /\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)/g;
  let done = 0;
  for (const match of text.matchAll(marks)) {
    if (match.index > done) nodes.push(document.createTextNode(text.slice(done, match.index)));
    const [whole, bold, italic, label, address] = match;
    if (bold) nodes.push(make("strong", "", bold));
    else if (italic) nodes.push(make("em", "", italic));
    else nodes.push(link(label, address));
    done = match.index + whole.length;
  }
  nodes.push(document.createTextNode(text.slice(done)));
  return nodes;
}

function textBlock(block) {
  const classes = "ac-text"
    + known(block.size, ["small", "medium", "large", "extralarge"])
    + known(block.weight, ["lighter", "bolder"])
    + known(block.color, ["good", "warning", "attention", "accent"])
    + (block.isSubtle ? " subtle" : "") + (block.wrap ? "" : " cut");
  const paragraph = make("p", classes);
  paragraph.append(...inline(String(block.text ?? "")));
  return paragraph;
}

function factSet(set) {
  const facts = make("dl", "ac-facts");
  for (const fact of list(set.facts)) {
    const value = make("dd");
    value.append(...inline(String(fact?.value ?? "")));
    facts.append(make("dt", "", String(fact?.title ?? "")), value);
  }
  return facts;
}

function columnSet(set, depth) {
  const row = make("div", "ac-columns");
  for (const column of list(set.columns)) {
    const width = String(column?.width ?? "stretch") === "auto" ? " auto" : "";
    const box = make("div", `ac-column${width}`);
    box.append(...elements(column?.items, depth));
    row.append(box);
  }
  return row;
}

function actions(all) {
  const row = make("div", "ac-actions");
  for (const action of list(all)) {
    const title = String(action?.title ?? "");
    const href = action?.type === "Action.OpenUrl" ? webAddress(action.url) : null;
    const button = href ? link(title, href) : make("span", "", title);
    button.className = "ac-button";
    row.append(button);
  }
  return row;
}

function element(item, depth) {
  switch (item?.type) {
    case "TextBlock": return textBlock(item);
    case "FactSet": return factSet(item);
    case "ColumnSet": return columnSet(item, depth);
    case "ActionSet": return actions(item.actions);
    case "Container": {
      const box = make("div", `ac-container${known(item.style, ["emphasis", "good", "warning", "attention", "accent"])}`);
      box.append(...elements(item.items, depth));
      return box;
    }
    default: return make("p", "ac-text subtle", `(${String(item?.type ?? "nothing")}: not shown here)`);
  }
}

/** Nested no deeper than Webex would take. */
function elements(items, depth) {
  if (depth > 16) return [];
  return list(items).map((item) => {
    const shown = element(item, depth + 1);
    shown.className += known(item?.spacing, ["none", "small", "medium", "large"]);
    if (item?.separator) shown.className += " separator";
    return shown;
  });
}

export function showCard(content) {
  const card = make("div", "ac");
  card.append(...elements(content?.body, 0));
  if (list(content?.actions).length > 0) card.append(actions(content.actions));
  return card;
}
