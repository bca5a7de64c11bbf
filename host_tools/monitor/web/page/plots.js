// The three plots of a board: frames a second, the time of each stage, the people's scores.

import { COLOURS } from "/people.js";
import { Plot } from "/plot.js";

const STAGES = ["capture", "kpu", "decode", "draw", "send"];
const RATES = ["computed", "arriving"];
const PEOPLE = COLOURS.map((_, n) => `person${n}`);

function figure(title, plot, keys) {
  const element = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const heading = document.createElement("h3");
  const value = document.createElement("output");
  heading.textContent = title;
  caption.append(heading, value);
  element.append(caption, plot.element);
  const values = keys.map((key) => {
    const item = document.createElement("span");
    item.className = `key ${key}`;
    const number = document.createElement("b");
    item.append(key, number);
    return [item, number];
  });
  if (values.length) {
    const legend = document.createElement("p");
    legend.className = "keys";
    legend.append(...values.map(([item]) => item));
    element.append(legend);
  }
  return { element, value, keys: values.map(([, number]) => number) };
}

export class Plots {
  #rate = new Plot({ label: "Frames a second over the last minute", colours: ["faint", "accent"] });
  #times = new Plot({ label: "Milliseconds of each stage over the last minute", colours: STAGES, stacked: true });
  #scores = new Plot({ label: "Scores of the people over the last minute", colours: PEOPLE, top: 1 });
  #figures;

  constructor(element) {
    this.#figures = [
      figure("Frames a second", this.#rate, RATES),
      figure("Time of a frame", this.#times, STAGES),
      figure("Scores", this.#scores, []),
    ];
    element.append(...this.#figures.map((each) => each.element));
    // Time goes on when nothing comes.
    setInterval(() => this.redraw(), 500);
  }

  add({ at, fps, computed, stages_us: stages, poses }) {
    const [rate, times, scores] = this.#figures;
    // They differ where the line carries less than the board computes.
    this.#rate.add(at, [computed || null, fps || null]);
    rate.value.textContent = fps.toFixed(1);
    [computed, fps].forEach((value, n) => (rate.keys[n].textContent = value.toFixed(1)));
    const milliseconds = STAGES.map((stage) => stages[stage] / 1000);
    this.#times.add(at, milliseconds);
    times.value.textContent = `${milliseconds.reduce((sum, value) => sum + value, 0).toFixed(0)} ms`;
    milliseconds.forEach((value, n) => (times.keys[n].textContent = value < 10 ? value.toFixed(1) : value.toFixed(0)));
    // A line is a person's, in the colour that they have in the picture.
    const scored = PEOPLE.map((_, n) => poses.find((pose) => pose.colour % PEOPLE.length === n));
    this.#scores.add(at, scored.map((pose) => (pose ? pose.score / 255 : null)));
    scores.value.textContent = poses.length ? (poses[0].score / 255).toFixed(2) : "nobody";
  }

  // Without frames, the server's count of them.
  rate(fps) {
    this.#figures[0].value.textContent = fps.toFixed(1);
  }

  redraw() {
    for (const plot of [this.#rate, this.#times, this.#scores]) plot.draw();
  }
}
