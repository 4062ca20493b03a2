// A shared worker: one event stream for all tabs of a browser that show the page and are not hidden.
"use strict";
const tabs = new Set();
let stream;

function tell(word) {
  for (const tab of tabs) tab.postMessage(word);
}

function open() {
  stream = new EventSource(new URL("../events", location));
  stream.onopen = () => tell("open");
  stream.onerror = () => {
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
      else if (stream.readyState === EventSource.OPEN) tab.postMessage("open");
      return;
    }
    tabs.delete(tab);
    if (tabs.size) return;
    stream?.close();
    stream = undefined;
  };
};
