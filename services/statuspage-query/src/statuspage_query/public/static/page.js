// What the page does more with a script: times of the visitor's zone, days by arrow keys, and it follows live.
"use strict";
const root = document.documentElement;
const lang = navigator.languages.find((it) => it.split("-")[0] === root.lang) || root.lang;

function localTimes(within) {
  const year = new Date().getFullYear(), clock = { hour: "numeric", minute: "2-digit" };
  const text = (at, day) => at.toLocaleString(lang, {
    ...(day && { day: "numeric", month: "short" }), ...(day && at.getFullYear() !== year && { year: "numeric" }), ...clock,
  });
  for (const it of within.querySelectorAll("time")) {
    if (it.dateTime.length < 11) continue;
    const at = new Date(it.dateTime), from = it.parentElement.matches(".span") && it.parentElement.firstElementChild;
    const same = from && from !== it && new Date(from.dateTime).toDateString() === at.toDateString();
    it.textContent = text(at, !same);
    it.title = at.toLocaleString(lang, { dateStyle: "full", timeStyle: "long" });
  }
  const zone = document.querySelector(".zone");
  if (zone) zone.textContent = zone.dataset.visitor;
}

// The bars: one tab stop each; the arrow keys go from day to day, the text of a day comes from the list below the bar.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;

function dayOf(bar, place) {
  const first = new Date(bar.dataset.first + "T12:00:00Z");
  first.setUTCDate(first.getUTCDate() + place);
  const date = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeZone: "UTC" }).format(first);
  for (const line of bar.nextElementSibling.querySelectorAll("li[data-f]")) {
    if (place >= +line.dataset.f && place <= +(line.dataset.l || line.dataset.f)) return [date, line.querySelector("span").textContent];
  }
  return [date, bar.closest("[data-well]").dataset.well];
}

function follow(bar) {
  const svg = bar.firstElementChild;
  const count = (svg.viewBox.baseVal.width + 1) / 4;
  const mark = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "rect"));
  mark.setAttribute("class", "day");
  mark.setAttribute("width", 3);
  mark.setAttribute("height", 28);
  let place = count - 1;
  const show = (wanted) => {
    const shown = svg.getBoundingClientRect(), box = bar.getBoundingClientRect();
    const hidden = Math.round((box.left - shown.left) / shown.width * count);
    place = Math.min(Math.max(wanted, hidden), count - 1);
    const [date, text] = dayOf(bar, place);
    bar.setAttribute("aria-valuenow", place + 1);
    bar.setAttribute("aria-valuetext", date + ": " + text);
    bar.dataset.day = place;
    mark.setAttribute("x", 4 * place);
    tip.replaceChildren(Object.assign(document.createElement("b"), { textContent: date }), text);
    tip.hidden = false;
    const middle = shown.left + (4 * place + 1.5) / (4 * count - 1) * shown.width;
    const half = tip.offsetWidth / 2 + 8;
    tip.style.left = Math.min(Math.max(middle, half), root.clientWidth - half) + window.scrollX + "px";
    tip.style.top = box.top + window.scrollY + "px";
  };
  const hide = () => { tip.hidden = true; delete bar.dataset.day; };
  bar.tabIndex = 0;
  bar.setAttribute("role", "slider");
  bar.setAttribute("aria-valuemin", 1);
  bar.setAttribute("aria-valuemax", count);
  bar.setAttribute("aria-valuenow", count);
  bar.setAttribute("aria-valuetext", dayOf(bar, place).join(": "));
  bar.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, ArrowDown: place - 1, ArrowUp: place + 1, PageDown: place - 7, PageUp: place + 7, Home: 0, End: count - 1 }[event.key];
    if (event.key === "Escape") hide();
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  });
  bar.addEventListener("focus", () => { if (bar.matches(":focus-visible")) show(place); });
  bar.addEventListener("blur", hide);
  bar.addEventListener("pointermove", (event) => {
    const shown = svg.getBoundingClientRect();
    show(Math.floor((event.clientX - shown.left) / shown.width * count));
  });
  bar.addEventListener("pointerleave", hide);
}

function enrich(within) {
  localTimes(within);
  within.querySelectorAll(".bar").forEach(follow);
}

// Live: the server says that the page has changed, else we ask; what was open stays open, and the focus stays.
let etag = null;

async function refresh() {
  const answer = await fetch(location.href, { headers: etag ? { "If-None-Match": etag } : {} });
  if ([401, 403, 404].includes(answer.status)) return location.reload();
  if (!answer.ok) return; // 304, or a moment of trouble
  etag = answer.headers.get("ETag");
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = document.getElementById("main"), then = next.getElementById("main");
  if (!then) return location.reload();
  const known = new Map([...now.querySelectorAll("details")].map((it) => [key(it), it.open]));
  for (const it of then.querySelectorAll("details")) if (known.has(key(it))) it.open = known.get(key(it));
  const focused = now.contains(document.activeElement) && key(document.activeElement);
  enrich(then);
  now.replaceWith(then);
  tip.hidden = true;
  document.title = next.title;
  if (focused) [...then.querySelectorAll("a, summary, .bar")].find((it) => key(it) === focused)?.focus();
}

function key(it) {
  const holder = it.closest("[id]");
  return holder.id + it.tagName + [...holder.querySelectorAll(it.tagName + (it.className ? "." + it.className.split(" ")[0] : ""))].indexOf(it);
}

// All tabs share one stream where the browser can do that, else each has its own; without any we ask each half minute.
let port, stream, timer, open = false;

function heard(word) {
  if (word.startsWith("changed")) refresh().catch(() => {});
  else open = word === "open";
}

function listen() {
  const { events, follow } = document.getElementById("main").dataset;
  clearInterval(timer);
  timer = setInterval(() => { if (!open) refresh().catch(() => {}); }, 30000);
  if (window.SharedWorker) {
    if (!port) {
      port = new SharedWorker(follow).port;
      port.onmessage = ({ data }) => heard(data);
    }
    port.postMessage("follow");
  } else if (window.EventSource) {
    stream = new EventSource(events);
    stream.addEventListener("hello", () => heard("open"));
    stream.onerror = () => heard("lost");
    stream.addEventListener("changed", () => heard("changed"));
  }
}

function quiet() {
  port?.postMessage("leave");
  stream?.close();
  open = false;
  clearInterval(timer);
}

if (root.dataset.tracking) {
  window.dataLayer = [];
  const tell = function () { dataLayer.push(arguments); }; // it wants the arguments object itself
  tell("js", new Date());
  tell("config", root.dataset.tracking);
}
document.body.append(tip);
enrich(document);
if (document.getElementById("main")?.dataset.events) {
  if (!document.hidden) listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return quiet();
    listen();
    refresh().catch(() => {});
  });
  addEventListener("pagehide", quiet);
}
