// A shared worker: one event stream for all tabs of a browser that show the page and are not hidden.
"use strict";
const tabs = new Set();
let stream, heard = false; // not before something is: a proxy may hold it back

function tell(word) {
  for (const tab of tabs) tab.postMessage(word);
}

function open() {
  stream = new EventSource(new URL("../events", location));
  stream.addEventListener("hello", () => { heard = true; tell("open"); });
  stream.onerror = () => {
    heard = false;
    tell("lost");
    if (stream.readyState === EventSource.CLOSED) stream = undefined; // the next tab tries again
  };
  stream.addEventListener("changed", ({ data }) => tell("changed " + data));
}

onconnect = ({ ports: [tab] }) => {
  tab.onmessage = ({ data }) => {
    if (data === "follow") {
      tabs.add(tab);
      if (!stream) open();
      else if (heard) tab.postMessage("open");
      return;
    }
    tabs.delete(tab);
    if (tabs.size) return;
    stream?.close();
    stream = undefined;
    heard = false;
  };
};
