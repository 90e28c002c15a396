// One change in full: what differs in its variables, its template and its pictures.

const pane = document.getElementById("detail");
let view = 0;

function describe(change) {
  const title = make("h2", {id: "detail-title"}, make("bdi", {class: "manifest"}, review.manifests[change.manifest].name), make("bdi", {}, change.name));
  const close = make("button", {class: "quiet", type: "button", id: "close"}, "Close");
  close.addEventListener("click", shut);
  const parts = [make("div", {class: "head"}, title, close),
    make("p", {class: "meta"}, badge(change), make("span", {}, reason(change)), change.renders ? make("span", {class: "faint"}, "asks for a picture") : "")];
  if (change.detail) parts.push(make("p", {class: "note", "data-bad": review.actions[change.action].name === "failed"}, make("bdi", {}, change.detail)));
  if (change.remedy) parts.push(make("p", {class: "note"}, change.remedy));
  parts.push(...pictures(change), ...values(change), ...template(change), places(change));
  pane.setAttribute("aria-labelledby", "detail-title");
  pane.replaceChildren(...parts.filter(Boolean));
  pane.scrollTop = 0;
}

function places(change) {
  const lines = [["File", change.was && change.path ? change.was + " → " + change.path : change.path], ["Declared in", change.place], ["Template", change.template]];
  return make("dl", {class: "places"}, ...lines.filter(line => line[1]).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, make("bdi", {}, text))]));
}

function values(change) {
  const found = change.values ?? [];
  if (!found.length) return [];
  const compared = found.some(value => value[1] && value[2]);
  const head = compared ? ["Variable", "Before", "After"] : ["Variable", "Value"];
  const table = make("table", {class: "values"}, make("colgroup", {}, ...head.map(() => make("col"))),
    make("thead", {}, make("tr", {}, ...head.map(text => make("th", {scope: "col"}, text)))),
    make("tbody", {}, ...found.map(([name, old, now]) => make("tr", {}, make("td", {}, make("bdi", {}, name)),
      ...(compared ? apart(old, now) : [make("td", {dir: "auto"}, old || now)])))));
  const parts = [make("h3", {}, compared ? "What differs" : "Variables"), table];
  if (change.more) parts.push(make("p", {class: "faint"}, `and ${change.more.toLocaleString("en")} more`));
  return parts;
}

// Two cells in which only the part between a common beginning and a common end is marked.
function apart(old, now) {
  const a = Array.from(old), b = Array.from(now), most = Math.min(a.length, b.length);
  let start = 0, end = 0;
  while (start < most && a[start] === b[start]) start++;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return [[a, "del"], [b, "ins"]].map(([text, tag]) => {
    const middle = text.slice(start, text.length - end).join("");
    return make("td", {dir: "auto"}, text.slice(0, start).join(""), middle ? make(tag, {}, middle) : "", end ? text.slice(text.length - end).join("") : "");
  });
}

function template(change) {
  const found = review.templates.find(one => one.name === change.template);
  if (!found || !found.diff.length || !change.templated) return [];
  const lines = found.diff.map(([text, tone]) => make("span", {"data-tone": tone}, text));
  return [make("h3", {}, "The template's html"), make("pre", {class: "diff", tabindex: "0", "aria-label": "Differences of the template"}, ...lines)];
}

function pictures(change) {
  const before = picture(change.before), after = picture(change.after), note = change.note ? make("p", {class: "note"}, make("bdi", {}, change.note)) : undefined;
  if (!before && !after) return [note];
  if (!before || !after) return [make("div", {class: "pictures"}, figure(before ? review.before : review.after, before || after, change)), note];
  const stage = make("div", {id: "stage"});
  const tabs = ["Side by side", "Slider", "Difference"].map((name, at) => {
    const tab = make("button", {type: "button", "data-view": at, "aria-pressed": String(at === view)}, name);
    tab.addEventListener("click", () => look(change, at));
    return tab;
  });
  const bar = make("div", {class: "views"}, make("div", {class: "switch", role: "group", "aria-label": "How to compare"}, ...tabs), meter(change));
  setTimeout(() => look(change, view));
  return [bar, stage, note];
}

function meter(change) {
  if (change.changed === undefined) return "";
  if (change.changed === 0) return make("span", {class: "meter equal"}, "Looks equal: no pixel differs visibly.");
  if (change.unlike) return make("span", {class: "meter"}, change.unlike);
  const bar = make("i", {"aria-hidden": "true"});
  bar.style.setProperty("--share", change.changed * 100 + "%");
  return make("span", {class: "meter"}, bar, share(change.changed) + " of the pixels changed");
}

function look(change, at) {
  view = at;
  const stage = document.getElementById("stage");
  if (!stage) return;
  for (const tab of pane.querySelectorAll("[data-view]")) tab.setAttribute("aria-pressed", String(Number(tab.dataset.view) === at));
  stage.replaceChildren([pair, slider, difference][at](change));
}

function figure(caption, source, change) {
  const image = make("img", {alt: caption + ": " + change.name, decoding: "async"});
  image.src = source;
  return make("figure", {}, make("figcaption", {}, caption), make("div", {class: "frame"}, image));
}

function pair(change) {
  return make("div", {class: "pictures pair"}, figure(review.before, picture(change.before), change), figure(review.after, picture(change.after), change));
}

function slider(change) {
  const under = make("img", {alt: review.before + ": " + change.name}), over = make("img", {class: "over", alt: review.after + ": " + change.name});
  under.src = picture(change.before);
  over.src = picture(change.after);
  const grip = make("input", {type: "range", min: 0, max: 100, value: 50, step: "any", "aria-label": "How much of the picture before is shown"});
  const frame = make("div", {class: "frame slider"}, under, over, make("span", {class: "grip", "aria-hidden": "true"}, "⇔"), grip);
  grip.addEventListener("input", () => frame.style.setProperty("--at", grip.value + "%"));
  return make("div", {}, make("div", {class: "sides"}, make("span", {}, review.before), make("span", {}, review.after)), frame);
}

function difference(change) {
  const source = picture(change.difference);
  if (source) return make("div", {class: "pictures"}, figure("Pixels that differ", source, change));
  const why = change.changed === undefined ? "The pictures were not compared." : change.changed === 0 ? "No pixel differs visibly." : change.unlike || "There is no picture of the difference in this page.";
  return make("p", {class: "note"}, why);
}
