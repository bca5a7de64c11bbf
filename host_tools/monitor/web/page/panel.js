// One board's panel: shows what is told of the board, and sends what its user wants.

import { Link } from "/link.js";
import { Log } from "/log.js";
import { Plots } from "/plots.js";
import { Settings } from "/settings.js";
import { Stage } from "/stage.js";
import { RESTARTED, STATES } from "/words.js";

const SLIDER_MS = 300;
const LATE_MS = 4000;

export class Panel {
  element = document.getElementById("panel").content.firstElementChild.cloneNode(true);
  #number;
  #connection;
  #stage;
  #plots;
  #settings;
  #link;
  #log;
  #board = null;
  #apart = false;
  #quality = null;
  #waitsSince = null; // When the next picture of the camera was begun to be waited for.

  constructor(number, connection, { skeleton, ranges }) {
    this.#number = number;
    this.#connection = connection;
    this.#stage = new Stage(this.#find("canvas.picture"), skeleton);
    this.#plots = new Plots(this.#find(".plots"));
    this.#settings = new Settings(this.#find(".settings"), number, ranges, (what) => this.#order(what));
    this.#link = new Link(this.#find(".link dl"));
    this.#log = new Log(this.#find(".log ol"));
    this.#find(".pause").addEventListener("click", () => this.#pause());
    this.#find(".preview").addEventListener("change", () => this.#preview());
    this.#find(".quality input").addEventListener("input", () => {
      clearTimeout(this.#quality);
      this.#quality = setTimeout(() => this.#find(".preview").checked && this.#preview(), SLIDER_MS);
    });
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }

  #order(what) {
    return this.#connection.order({ board: this.#number, ...what });
  }

  async #pause() {
    const button = this.#find(".pause");
    button.disabled = true;
    const { ok, text } = await this.#order({ do: this.#board.state === "paused" ? "resume" : "pause" });
    if (!ok) this.#log.add({ kind: "error", text });
    this.#showState();
  }

  async #preview() {
    const box = this.#find(".preview");
    const on = box.checked;
    this.#waitsSince = performance.now();
    const { ok, text } = await this.#order({ do: "preview", on, quality: Number(this.#find(".quality input").value) });
    if (!ok && on) {
      this.#endPreview();
      this.#log.add({ kind: "error", text: `No preview: ${text}` });
    }
    if (!box.checked) this.#stage.endPreview();
  }

  #endPreview() {
    this.#find(".preview").checked = false;
    this.#stage.endPreview();
  }

  take(message, blob) {
    if (message.type === "frame") this.#frame(message);
    else if (message.type === "picture") this.#picture(blob, message.frame);
    else if (message.type === "board") this.#show(message);
    else if (message.type === "log") this.#log.add(message);
    else if (message.type === "no_preview") this.#endPreview();
    else if (message.type === "link") {
      this.#link.show(message);
      this.#plots.rate(message.fps);
      this.#find(".late").hidden = !this.#isLate();
    }
  }

  #picture(blob, frame) {
    if (!this.#find(".preview").checked) return;
    this.#waitsSince = performance.now();
    this.#stage.preview(blob, frame);
  }

  #isLate() {
    const waits = this.#find(".preview").checked && this.#board.state === "running";
    return waits && performance.now() - this.#waitsSince > LATE_MS;
  }

  #frame(frame) {
    this.#stage.show(frame.poses, frame.frame, frame.windows ?? []);
    this.#plots.add(frame);
    const people = frame.poses.length === 1 ? "1 person" : `${frame.poses.length} people`;
    this.#find(".numbers").textContent = `${people} · ${frame.fps.toFixed(1)} fps · frame ${frame.frame}`;
  }

  #show(board) {
    this.#board = board;
    const { label, port, hello, settings, picture } = board;
    this.element.setAttribute("aria-label", `Board ${label}`);
    this.#find("h2").textContent = label;
    const model = hello?.width ? `model ${picture.join("×")}${hello.turned ? " (turned)" : ""}` : "no model";
    const about = [port, ...(hello ? [model, `${hello.system} ${hello.release}`, `program ${hello.firmware}`] : [])];
    this.#find(".about").textContent = about.join(" · ");
    this.#find(".about").title = hello?.kmodel_sha256 ? `kmodel SHA-256 ${hello.kmodel_sha256}` : "";
    if (hello) this.#stage.resize(...picture, Boolean(hello.turned));
    this.#find(".no-previews").textContent = board.no_previews;
    if (board.no_previews) this.#endPreview();
    this.#settings.show(settings);
    this.#showState();
  }

  #showState() {
    const board = this.#board;
    const state = this.#apart ? "apart" : board.state;
    const { word, title, text, clear } = STATES[state];
    const pill = this.#find(".state");
    const restarted = board.restarted && !this.#apart;
    this.element.dataset.state = state;
    if (state !== "running") this.#find(".numbers").textContent = "";
    if (state !== "running" && state !== "paused") this.#stage.clear();
    const said = restarted ? `${word}, ${RESTARTED}` : word;
    if (pill.textContent !== said) pill.textContent = said;
    pill.classList.toggle("restarted", restarted);
    const message = this.#find(".message");
    message.hidden = !title;
    message.classList.toggle("clear", Boolean(clear));
    message.querySelector("strong").textContent = title ?? "";
    message.querySelector(".why").textContent = board.text;
    message.querySelector(".then").textContent = text ?? "";
    this.#enable(board.reachable && !this.#apart);
  }

  #enable(on) {
    const pause = this.#find(".pause");
    pause.textContent = this.#board.state === "paused" ? "Resume" : "Pause";
    pause.disabled = !on;
    this.#find(".preview").disabled = this.#find(".quality input").disabled = !on || Boolean(this.#board.no_previews);
    this.#settings.enable(on && this.#board.settings !== null);
  }

  // The server tells all again to a connection that is new: its log too; and it has forgotten the preview.
  connected(isOpen) {
    this.#apart = !isOpen;
    if (isOpen) {
      this.#log.clear();
      if (this.#find(".preview").checked) this.#preview();
    }
    if (this.#board) this.#showState();
  }

  redraw() {
    this.#stage.redraw();
  }
}
