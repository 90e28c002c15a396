// What is reviewed, as the page holds it, and which of it is shown. Nothing here draws.

const review = JSON.parse(document.getElementById("review").textContent);
const all = review.changes;
const wish = {text: "", manifest: "", reason: "", order: "", actions: new Set(), pictured: false};
let shown = all;

function picture(name) {
  return name ? document.getElementById(name).textContent : "";
}

function haystack(change) {
  change.hay ??= [
    review.manifests[change.manifest].name + "/" + change.name, review.reasons[change.reason], change.detail, change.place, change.path,
    change.was, change.template, change.note, ...(change.values ?? []).flat(),
  ].filter(Boolean).join("\n").toLowerCase();
  return change.hay;
}

function sift() {
  const words = wish.text.toLowerCase().split(/\s+/).filter(Boolean);
  shown = all.filter(change =>
    (wish.manifest === "" || change.manifest === Number(wish.manifest)) &&
    (wish.reason === "" || change.reason === Number(wish.reason)) &&
    (!wish.pictured || change.before || change.after) &&
    (!wish.actions.size || wish.actions.has(change.action)) &&
    words.every(word => haystack(change).includes(word)));
  if (wish.order) shown.sort((a, b) => rank(a, b, wish.order === "most" ? -1 : 1));
}

// Those that were not compared come last; equal ones stay in their order.
function rank(a, b, sign) {
  const lone = (a.changed === undefined) - (b.changed === undefined);
  return lone || a.changed === undefined ? lone : sign * (a.changed - b.changed);
}

function share(part) {
  if (part > 0 && part < 0.001) return "below 0.1 %";
  if (part < 1 && part > 0.999) return "above 99.9 %";
  return (part * 100).toFixed(1).replace(/\.0$/, "") + " %";
}

// Text alone becomes part of the page: what stands in a review is never markup.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter(child => child !== undefined && child !== ""));
  return node;
}

// The reason, unless it only says once more what the action says.
function reason(change) {
  const text = review.reasons[change.reason];
  return text === review.actions[change.action].name ? "" : text;
}

function badge(change) {
  const action = review.actions[change.action];
  return make("span", {class: "badge", "data-action": action.name}, action.name.replace("_", " "));
}
