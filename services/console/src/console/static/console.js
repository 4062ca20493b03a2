// What the console does more with a script: times of the viewer's zone, live pages, the keyboard, forms that outlast an outage.
"use strict";
const root = document.documentElement;
root.classList.add("scripting");
const lang = navigator.languages.find((it) => it.split("-")[0] === root.lang) || root.lang;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

function times(within) {
  const year = new Date().getFullYear();
  for (const it of $$("time:not([data-ago])", within)) {
    const at = new Date(it.dateTime);
    if (isNaN(at)) continue;
    const recent = Date.now() - at < 86400000 && Date.now() > at;
    it.textContent = at.toLocaleString(lang, { ...(!recent && { day: "numeric", month: "short" }), ...(at.getFullYear() !== year && { year: "numeric" }), hour: "numeric", minute: "2-digit", ...(recent && { second: "2-digit" }) });
    it.title = at.toISOString().replace("T", " ").replace(/\.\d+Z|Z/, " UTC");
  }
  for (const it of $$("input[type=datetime-local][data-utc]", within)) {
    const at = new Date(it.dataset.utc);
    it.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
    delete it.dataset.utc;
  }
  for (const it of $$("[data-zone-of-viewer]", within)) it.value = zone;
  for (const it of $$("[data-zone-name]", within)) it.textContent = zone;
}

// What stands at a place of a bar, and at a focused time.
const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
function show(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const half = tip.offsetWidth / 2 + 8;
  tip.style.left = Math.min(Math.max(x, half), root.clientWidth - half) + scrollX + "px";
  tip.style.top = y + scrollY + "px";
}
const local = (text) => {
  const [at, ...rest] = text.split("|"), time = new Date(at);
  return rest.length && !isNaN(time) ? time.toLocaleString(lang, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }) + " · " + rest.join("|") : text;
};
const charts = new WeakMap();
function pointsOf(chart) {
  if (charts.has(chart)) return charts.get(chart);
  const texts = chart.dataset.tips?.split("\n"), line = chart.dataset.line !== undefined;
  charts.set(chart, texts?.map((text, at) => [line ? at / Math.max(texts.length - 1, 1) : (at + .5) / texts.length, text]) || []);
  if (!texts) fetch(chart.dataset.tipsFrom).then((it) => it.ok ? it.json() : []).then((them) => charts.set(chart, them.map(([place, at, text]) => [place, at + "|" + text])), () => {});
  return charts.get(chart);
}
document.addEventListener("pointermove", (event) => {
  const chart = event.target.closest?.("[data-tips], [data-tips-from]"), points = chart && pointsOf(chart);
  if (!points?.length) return void (tip.hidden ||= true);
  const box = chart.getBoundingClientRect(), { left: before = 0, right: after = 0 } = chart.dataset, scale = box.width / ($("img", chart)?.naturalWidth || box.width);
  const left = box.left + before * scale, wide = box.width - (+before + +after) * scale;
  const place = (event.clientX - left) / wide;
  const [at, text] = points.reduce((best, it) => Math.abs(it[0] - place) < Math.abs(best[0] - place) ? it : best);
  show(local(text), left + at * wide, box.top);
});
document.addEventListener("focusin", ({ target }) => {
  if (target.localName !== "time") return;
  const box = target.getBoundingClientRect();
  show(target.title, box.left + box.width / 2, box.top);
});
document.addEventListener("focusout", () => { tip.hidden = true; });

// Live: what has changed is put in its place; rows stay where they are, and nothing changes under the pointer or the focus.
const TYPING = "textarea:focus, select:focus, input:focus:not([type=checkbox], [type=search])";
let asked = 0, waiting;
async function refresh() {
  const main = $("main");
  if (document.hidden || !main || main.matches(`:has(${TYPING}, dialog[open])`)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.redirected && new URL(answer.url).pathname.endsWith("/sign-in")) return location.reload();
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const then of $$("[data-live]", next)) {
    const now = $(`[data-live="${CSS.escape(then.dataset.live)}"]`);
    if (!now || now.matches("[data-still]:hover")) continue;
    const picked = $("input[type=checkbox]", now)?.checked;
    times(then);
    if (now.innerHTML === then.innerHTML) continue;
    if (picked) $("input[type=checkbox]", then).checked = true;
    for (const it of $$("details[open]", now)) if (!it.name) $$("details", then)[$$("details", now).indexOf(it)]?.setAttribute("open", "");
    const places = "a, summary, input, time", focused = $$(places, now).indexOf(document.activeElement);
    now.replaceWith(document.adoptNode(then));
    if (focused >= 0) $$(places, then)[focused]?.focus({ preventScroll: true });
  }
  mark();
}
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { asked = Date.now(); refresh().catch(() => {}); }, Math.max(500, asked + 4000 - Date.now()) + Math.random() * 500);
}
let port, stream, timer, open = false;
function heard(word) {
  if (!word.startsWith("changed")) return void (open = word === "open");
  const wanted = $("main").dataset.nouns.split(" "), nouns = word.split(" ").slice(1);
  if (wanted.includes("all") || nouns.includes("all") || nouns.some((it) => wanted.includes(it))) soon();
}
function listen() {
  const main = $("main[data-nouns]");
  if (!main?.dataset.nouns) return;
  clearInterval(timer);
  timer = setInterval(() => { if (!open || Date.now() - asked > 60000) soon(); }, 15000); // also for what is said to be so long ago
  if (window.SharedWorker) {
    port ||= new SharedWorker(main.dataset.follow).port;
    port.onmessage = ({ data }) => heard(data);
    port.postMessage("follow");
  } else if (!stream) {
    stream = new EventSource(main.dataset.events);
    stream.addEventListener("hello", () => heard("open"));
    stream.onerror = () => heard("lost");
    stream.addEventListener("changed", ({ data }) => heard("changed " + data));
  }
}
function quiet() {
  port?.postMessage("leave");
  stream?.close();
  stream = undefined;
  open = false;
  clearInterval(timer);
}

// The keyboard.
let place = -1;
const rows = () => $$("[data-row]");
function mark() { rows().forEach((it, at) => it.classList.toggle("here", at === place)); }
function go(to) {
  const all = rows();
  if (!all.length) return;
  place = Math.min(Math.max(to, 0), all.length - 1);
  mark();
  all[place].scrollIntoView({ block: "nearest" });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  const row = rows()[place], link = row?.matches("a") ? row : row && $("a", row);
  const act = {
    "/": () => $("[data-search]") ? $("[data-search]").focus() : location.assign($("#menu a[href$='/monitors']").href),
    j: () => go(place + 1), k: () => go(place - 1), "?": () => $("#keys").showModal(),
    Enter: () => link?.click(),
    x: () => row && $("input[type=checkbox]", row)?.click(),
    e: () => $("[data-key=e]") ? $("[data-key=e]").click() : link && /[0-9a-f-]{36}$/.test(link.pathname) && location.assign(link.href + "/edit"),
    n: () => $("[data-key=n]")?.click(),
  }[event.key];
  if (!act || (event.key === "Enter" && event.target.closest("a, button, summary, [tabindex='0']"))) return;
  event.preventDefault();
  act();
});

// Many at once.
function count(form) {
  const boxes = $$("input[name=id][type=checkbox]", form), some = boxes.filter((it) => it.checked).length, said = $("[data-chosen]", form);
  if (said) said.textContent = some ? said.dataset.some.replace("{count}", some) : said.dataset.none;
  for (const it of $$(".many button", form)) it.disabled = !some;
  const all = $("[data-all]", form);
  if (all) { all.checked = some > 0 && some === boxes.length; all.indeterminate = some > 0 && some < boxes.length; }
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-submits]")) return target.form.requestSubmit();
  const form = target.closest("[data-many]");
  if (!form) return;
  if (target.matches("[data-all]")) for (const it of $$("input[name=id]", form)) it.checked = target.checked;
  count(form);
});
document.addEventListener("click", async ({ target }) => {
  const copy = target.closest("[data-copy]"), more = target.closest("[data-more]"), move = target.closest("[data-move]");
  if (copy) {
    await navigator.clipboard.writeText($("code", copy.parentElement).textContent);
    const word = $("span", copy), before = word.textContent;
    word.textContent = copy.dataset.copied;
    setTimeout(() => { word.textContent = before; }, 1500);
  } else if (more) {
    const all = $("[data-rows]", more.parentElement), last = all.lastElementChild.cloneNode(true);
    for (const it of $$("input, select", last)) it.value = it.matches("select") ? it.options[0].value : "";
    all.append(last);
    $("select, input", last).focus();
  } else if (move) {
    const row = move.closest("li"), other = move.dataset.move < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    other[move.dataset.move < 0 ? "before" : "after"](row);
    places(row.parentElement);
    move.focus();
  }
});
function places(list) { $$("[data-place]", list).forEach((it, at) => { it.value = at + 1; }); }

// Components by the pointer.
let dragged;
document.addEventListener("pointerdown", ({ target }) => {
  const row = target.closest(".component-row");
  if (row) row.draggable = !target.closest("input, select, button");
});
document.addEventListener("dragstart", ({ target }) => { dragged = target.closest?.(".component-row"); dragged?.classList.add("dragged"); });
document.addEventListener("dragover", (event) => {
  const over = dragged && event.target.closest?.(".component-row");
  if (!over || over.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  const box = over.getBoundingClientRect();
  over[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
});
document.addEventListener("dragend", () => { if (dragged) { dragged.classList.remove("dragged"); places(dragged.parentElement); } dragged = undefined; });

// Forms: what was typed outlasts a console that is away.
function lost(word) {
  const it = $("#lost");
  it.textContent = it.dataset[word];
  it.hidden = false;
}
document.addEventListener("htmx:sendError", () => lost("away"));
document.addEventListener("htmx:responseError", ({ detail }) => { if (detail.xhr.status === 401) lost("out"); });
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  $("#lost").hidden = true;
  const next = new DOMParser().parseFromString(detail.serverResponse, "text/html"), away = detail.xhr.status === 503 && $("[data-away]", next);
  if (!away && (!detail.boosted || $("main", next))) return;
  detail.shouldSwap = false; // the form stays as it was typed, with its secrets
  lost("away");
  if (away) $("#lost").textContent = away.textContent;
});

function enrich(within) {
  times(within);
  for (const it of $$("[data-many]", within)) count(it);
  const again = $("[data-again]", within);
  if (again) setTimeout(() => location.reload(), again.dataset.again * 1000);
  if (!tip.isConnected) document.body.append(tip);
}
document.addEventListener("htmx:afterSwap", () => { if (!$(".here")) place = -1; }); // the row that was marked has gone
document.addEventListener("htmx:afterSettle", ({ target }) => { enrich(document); if (target === document.body) listen(); });
enrich(document);
if (!document.hidden) listen();
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return quiet();
  listen();
  if ($("main[data-nouns]")?.dataset.nouns) soon();
});
addEventListener("pagehide", quiet);
