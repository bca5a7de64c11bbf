// The page: connects to the monitor, gives each board a panel, and hands on what comes.

import { Connection } from "/connection.js";
import { display } from "/display.js";
import { Panel } from "/panel.js";
import { Recorder } from "/recorder.js";

const panels = new Map();
const boards = document.getElementById("boards");
const banner = document.getElementById("connection");
let welcome = null;

function panelOf(number) {
  let panel = panels.get(number);
  if (!panel) {
    panel = new Panel(number, connection, welcome);
    panels.set(number, panel);
    boards.append(panel.element);
    boards.classList.toggle("single", panels.size === 1);
  }
  return panel;
}

function take(message, blob) {
  if (message.type === "welcome") welcome = message;
  else if (message.type === "recording") recorder.show(message);
  else panelOf(message.board).take(message, blob);
}

function changed(isOpen) {
  banner.hidden = isOpen;
  banner.textContent = "No connection to the monitor: it has ended, or is being started again. Trying again…";
  document.body.classList.toggle("apart", !isOpen);
  for (const panel of panels.values()) panel.connected(isOpen);
}

display.watch(() => panels.forEach((panel) => panel.redraw()));
const connection = new Connection(take, changed);
const recorder = new Recorder(document.getElementById("recorder"), connection);
