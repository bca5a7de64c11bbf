// A small live plot on a canvas: some series over the last minute, as lines or as stacked areas.

import { colour, display } from "/display.js";

const SECONDS = 60;
const DRAW_MS = 200;
const LEFT = 30;
const BOTTOM = 4;
const TOP = 6;
// A longer pause between two frames is a gap, not a line.
const GAP_SECONDS = 4;

export class Plot {
  #canvas = document.createElement("canvas");
  #points = [];
  #options;
  #clock = null;
  #drawnAt = 0;

  // `options`: label (for who cannot see it), colours (names of style.css), stacked, top (fixed upper end).
  constructor(options) {
    this.#options = options;
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", options.label);
    new ResizeObserver(() => this.draw(true)).observe(this.#canvas);
    display.watch(() => this.draw(true));
  }

  get element() {
    return this.#canvas;
  }

  // `at` in seconds of the server's clock; null is no value.
  add(at, values) {
    this.#clock = { at, here: performance.now() };
    this.#points.push({ at, values });
    const old = this.#points.findIndex((point) => point.at >= at - SECONDS - GAP_SECONDS);
    if (old > 0) this.#points.splice(0, old);
    this.draw();
  }

  draw(atOnce = false) {
    const now = performance.now();
    if (!atOnce && now - this.#drawnAt < DRAW_MS) return;
    this.#drawnAt = now;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    const context = this.#canvas.getContext("2d");
    context.scale(ratio, ratio);
    const top = this.#options.top ?? niceTop(this.#highest());
    this.#drawGrid(context, width, height, top);
    if (!this.#clock) return;
    const end = this.#clock.at + (now - this.#clock.here) / 1000;
    const x = (at) => LEFT + (1 - (end - at) / SECONDS) * (width - LEFT);
    const y = (value) => TOP + (1 - value / top) * (height - TOP - BOTTOM);
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT, height);
    context.clip();
    if (this.#options.stacked) this.#drawAreas(context, x, y);
    else this.#drawLines(context, x, y);
  }

  #highest() {
    const totals = this.#points.map(({ values }) =>
      this.#options.stacked ? values.reduce((sum, value) => sum + (value ?? 0), 0) : Math.max(0, ...values));
    return Math.max(0, ...totals);
  }

  #drawGrid(context, width, height, top) {
    context.font = "10px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const share of [0, 0.5, 1]) {
      const y = Math.round(TOP + (1 - share) * (height - TOP - BOTTOM)) + 0.5;
      context.strokeStyle = colour("grid");
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(width, y);
      context.stroke();
      context.fillStyle = colour("faint");
      context.fillText(String(Number((share * top).toPrecision(3))), LEFT - 5, y);
    }
  }

  // Runs of points without gaps in which a series has values.
  *#runs(series) {
    let run = [];
    for (const point of this.#points) {
      const apart = run.length && point.at - run[run.length - 1].at > GAP_SECONDS;
      if (apart || point.values[series] == null) {
        if (run.length) yield run;
        run = [];
      }
      if (point.values[series] != null) run.push(point);
    }
    if (run.length) yield run;
  }

  #drawLines(context, x, y) {
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    this.#options.colours.forEach((name, series) => {
      context.strokeStyle = context.fillStyle = colour(name);
      for (const run of this.#runs(series)) {
        context.beginPath();
        for (const point of run) context.lineTo(x(point.at), y(point.values[series]));
        context.stroke();
        const last = run[run.length - 1];
        if (run.length === 1) context.fillRect(x(last.at) - 1, y(last.values[series]) - 1, 2, 2);
      }
    });
  }

  #drawAreas(context, x, y) {
    const upTo = (point, count) => point.values.slice(0, count).reduce((sum, value) => sum + value, 0);
    this.#options.colours.forEach((name, series) => {
      context.fillStyle = colour(name);
      for (const run of this.#runs(series)) {
        context.beginPath();
        for (const point of run) context.lineTo(x(point.at), y(upTo(point, series + 1)));
        for (const point of run.toReversed()) context.lineTo(x(point.at), y(upTo(point, series)));
        context.fill();
      }
    });
  }
}

// The next of 1, 2, 5, 10, 20 … above.
function niceTop(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= value * 1.02) ?? 20 * power;
}
