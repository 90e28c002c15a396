// The page as a whole: filters, keys, light and dark.

const $ = name => document.getElementById(name);
const tools = $("tools"), search = $("search"), main = $("main");
const narrow = matchMedia("(max-width: 900px)"), darkness = matchMedia("(prefers-color-scheme: dark)");
const number = count => count.toLocaleString("en");

function option(text, value) {
  return make("option", {value: String(value)}, text);
}

function fill() {
  const count = (field, at) => all.reduce((sum, change) => sum + (change[field] === at), 0);
  $("manifest").append(make("option", {value: ""}, review.manifests.length === 1 ? "1 manifest" : `All ${number(review.manifests.length)} manifests`),
    ...review.manifests.map((one, at) => option(`${one.name} (${number(one.total)})`, at)));
  const reasons = review.reasons.map((text, at) => [text, at, 0]);
  for (const change of all) reasons[change.reason][2]++;
  $("reason").append(make("option", {value: ""}, "All reasons"), ...reasons.map(([text, at, many]) => option(`${text} (${number(many)})`, at)));
  $("order-label").hidden = !all.some(change => change.changed !== undefined);
  $("views").hidden = !review.pictured;
  $("actions").append(...review.actions.map((action, at) => {
    const chip = make("button", {type: "button", "data-action": action.name, "aria-pressed": "false"}, make("b", {}, number(action.number)), action.label);
    chip.addEventListener("click", () => {
      wish.actions.has(at) ? wish.actions.delete(at) : wish.actions.add(at);
      chip.setAttribute("aria-pressed", String(wish.actions.has(at)));
      refresh();
    });
    return chip;
  }));
}

function refresh() {
  const kept = shown[active];
  sift();
  active = -1;
  list.removeAttribute("aria-activedescendant");
  $("count").textContent = shown.length === all.length ? (all.length < review.total ? `${number(all.length)} of ${number(review.total)} listed` : "") : `${number(shown.length)} of ${number(all.length)}`;
  $("empty").hidden = shown.length > 0;
  const part = all.length < review.total ? ` among the ${number(all.length)} of ${number(review.total)} that are listed` : "";
  $("empty").textContent = all.length ? `Nothing matches${part}.` : review.nothing;
  list.hidden = !shown.length;
  const at = kept ? shown.indexOf(kept) : -1;
  layOut();
  if (at >= 0) choose(at);
  else if (beside() && shown.length) { choose(0); describe(shown[0]); }
  else if (!beside() || !shown.length) shut({quietly: true});
  arrange();
}

// In the list of a wide window the details of the chosen change are always beside it.
function beside() {
  return !grid && !narrow.matches;
}

function arrange() {
  const split = !narrow.matches && (beside() ? shown.length > 0 : !pane.hidden), before = list.clientWidth;
  if (beside()) pane.hidden = !shown.length;
  main.classList.toggle("split", split);
  if (list.clientWidth !== before) layOut();
  document.documentElement.style.setProperty("--tools", tools.offsetHeight + "px");
  if (pane.querySelector("#close")) pane.querySelector("#close").hidden = beside();
}

function open() {
  if (active < 0) return;
  describe(shown[active]);
  pane.hidden = false;
  arrange();
  try { history.replaceState(null, "", "#" + encodeURIComponent(review.manifests[shown[active].manifest].name + "/" + shown[active].name)); } catch { /* a frame may refuse */ }
  if (narrow.matches) pane.focus();
}

function shut({quietly = false} = {}) {
  if (beside() && !quietly) return list.focus({preventScroll: true});
  pane.hidden = true;
  arrange();
  if (!quietly) list.focus({preventScroll: true});
}

// By keyboard: the list is brought to the top of the window first, so that the pictures beside it are in sight.
function go(at) {
  choose(at);
  if (!pane.hidden || beside()) open();
  if (tools.getBoundingClientRect().top > 0 && beside()) scrollBy(0, tools.getBoundingClientRect().top);
  reveal();
}

function turn(pictures) {
  grid = pictures;
  wish.pictured = grid && review.kind === "plan"; // failures and lost files are shown among the others
  $("view-list").setAttribute("aria-pressed", String(!grid));
  $("view-grid").setAttribute("aria-pressed", String(grid));
  pane.hidden = true;
  refresh();
}

const keys = {
  "j": () => go(active + 1), "k": () => go(active - 1), "ArrowDown": () => go(active + columns), "ArrowUp": () => go(active - columns),
  "ArrowRight": () => columns > 1 && go(active + 1), "ArrowLeft": () => columns > 1 && go(active - 1),
  "Home": () => go(0), "End": () => go(shown.length - 1),
  "PageDown": () => go(active + columns * Math.max(1, Math.floor(innerHeight / height()) - 3)),
  "PageUp": () => go(active - columns * Math.max(1, Math.floor(innerHeight / height()) - 3)),
  "Enter": () => { if (active < 0) choose(0); open(); pane.focus({preventScroll: true}); },
  "/": () => { search.focus(); search.select(); },
  "1": () => look(shown[active], 0), "2": () => look(shown[active], 1), "3": () => look(shown[active], 2),
};
const LETTERS = new Set(["j", "k", "/", "1", "2", "3"]);

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const at = document.activeElement, typing = at === search || at.tagName === "SELECT";
  if (event.key === "Escape") {
    if (at === search && search.value) { search.value = wish.text = ""; refresh(); }
    else if (at === search || at.tagName === "SELECT") list.focus({preventScroll: true});
    else shut();
    return event.preventDefault();
  }
  if (at === search && event.key === "Enter") { list.focus({preventScroll: true}); go(0); return event.preventDefault(); }
  if (typing || !(event.key in keys)) return;
  if (!LETTERS.has(event.key) && at !== list && at !== document.body) return;
  if (["1", "2", "3"].includes(event.key) && (active < 0 || pane.hidden || !$("stage"))) return;
  event.preventDefault();
  if (event.key !== "/" && event.key !== "Enter" && at === document.body) list.focus({preventScroll: true});
  keys[event.key]();
}

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", String(dark));
}

// The address may name a change: it is opened.
function follow() {
  const wanted = (() => { try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; } })();
  const at = wanted ? shown.findIndex(change => review.manifests[change.manifest].name + "/" + change.name === wanted) : -1;
  if (at < 0) return;
  go(at);
  open();
}

function start() {
  fill();
  tools.hidden = false;
  const kept = (() => { try { return localStorage.getItem("pictify-sync-theme"); } catch { return null; } })();
  if (kept) theme(kept === "dark");
  else $("theme").setAttribute("aria-pressed", String(darkness.matches));
  $("theme").addEventListener("click", () => {
    const dark = $("theme").getAttribute("aria-pressed") !== "true";
    theme(dark);
    try { localStorage.setItem("pictify-sync-theme", dark ? "dark" : "light"); } catch { /* not kept, then */ }
  });
  search.addEventListener("input", () => { wish.text = search.value; refresh(); });
  for (const name of ["manifest", "reason", "order"]) $(name).addEventListener("input", () => { wish[name] = $(name).value; refresh(); });
  $("view-list").addEventListener("click", () => turn(false));
  $("view-grid").addEventListener("click", () => turn(true));
  addEventListener("scroll", () => requestAnimationFrame(draw), {passive: true});
  addEventListener("resize", () => { if (!printing) { layOut(); arrange(); } });
  narrow.addEventListener("change", () => { if (!printing) refresh(); });
  addEventListener("beforeprint", () => { printing = true; drawAll(); });
  addEventListener("afterprint", () => { printing = false; layOut(); });
  document.addEventListener("keydown", pressed);
  turn(review.grid);
  addEventListener("hashchange", follow);
  follow();
}

start();
