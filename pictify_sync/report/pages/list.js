// The list: only what is in sight is part of the page, so that thousands are as quick as a few.

const list = document.getElementById("list");
const ROW = 62, CARD = 238, GAP = 14, NARROWEST = 212;
let grid = false, columns = 1, active = -1, printing = false;
const drawn = new Map();

function height() {
  return grid ? CARD + GAP : ROW;
}

function layOut() {
  const width = list.clientWidth;
  columns = grid ? Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP))) : 1;
  if (grid && width < 480) columns = Math.max(2, columns);
  const rows = Math.ceil(shown.length / columns);
  list.className = grid ? "cards" : "rows";
  list.style.height = (rows * height() - (grid && rows ? GAP : 0) + (grid ? 0 : 2)) + "px";
  for (const node of drawn.values()) node.remove();
  drawn.clear();
  draw();
}

// All of it, in order: paper does not scroll.
function drawAll() {
  for (const node of drawn.values()) node.remove();
  drawn.clear();
  list.append(...shown.map((_, at) => entry(at)));
}

function draw() {
  if (printing) return;
  const box = list.getBoundingClientRect(), step = height(), spare = 4;
  const first = Math.max(0, Math.floor(-box.top / step) - spare) * columns;
  const last = Math.min(shown.length, (Math.ceil((innerHeight - box.top) / step) + spare) * columns);
  for (const [at, node] of drawn) {
    if ((at < first || at >= last) && at !== active) {
      node.remove();
      drawn.delete(at);
    }
  }
  const fresh = document.createDocumentFragment();
  for (let at = first; at < last; at++) if (!drawn.has(at)) fresh.append(entry(at));
  if (active >= 0 && active < shown.length && !drawn.has(active)) fresh.append(entry(active));
  list.append(fresh);
}

function entry(at) {
  const change = shown[at], step = height();
  const node = make("div", {class: at === shown.length - 1 ? "change last" : "change", role: "option", id: "change-" + at,
    "aria-selected": String(at === active), "aria-setsize": shown.length, "aria-posinset": at + 1});
  node.append(thumb(change), make("span", {class: "words"}, make("bdi", {class: "name"}, change.name),
    make("span", {class: "why"}, [review.manifests[change.manifest].name, reason(change)].filter(Boolean).join(" · "))),
  make("span", {class: "side"}, badge(change), verdict(change)));
  if (grid) {
    const wide = (list.clientWidth - (columns - 1) * GAP) / columns;
    node.style.width = wide + "px";
    node.style.height = CARD + "px";
    node.style.transform = `translate(${(at % columns) * (wide + GAP)}px, ${Math.floor(at / columns) * step}px)`;
  } else node.style.transform = `translateY(${at * step}px)`;
  node.addEventListener("click", () => { choose(at); open(); });
  drawn.set(at, node);
  return node;
}

function thumb(change) {
  const source = picture(change.after || change.before);
  if (source) {
    const image = make("img", {class: "thumb", alt: "", decoding: "async"});
    image.src = source;
    return image;
  }
  return review.pictured ? make("span", {class: "thumb blank", "aria-hidden": "true"}, grid ? "no picture" : "") : make("span");
}

function verdict(change) {
  const equal = change.changed === 0, words = change.changed === undefined ? "" : equal ? "looks equal" : change.unlike ? "other size" : share(change.changed);
  return make("span", {class: equal ? "share equal" : "share"}, words);
}

function choose(at) {
  if (!shown.length) at = -1;
  else at = Math.max(0, Math.min(shown.length - 1, at));
  drawn.get(active)?.setAttribute("aria-selected", "false");
  active = at;
  if (at < 0) return list.removeAttribute("aria-activedescendant");
  if (!drawn.has(at)) list.append(entry(at));
  drawn.get(at).setAttribute("aria-selected", "true");
  list.setAttribute("aria-activedescendant", "change-" + at);
}

function reveal() {
  if (active < 0) return;
  const box = list.getBoundingClientRect(), top = box.top + Math.floor(active / columns) * height(), roof = tools.getBoundingClientRect().height + 8;
  if (top < roof) scrollBy(0, top - roof);
  else if (top + height() > innerHeight - 8) scrollBy(0, top + height() - innerHeight + 8);
  draw();
}
