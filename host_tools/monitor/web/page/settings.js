// The thresholds of one board: sliders send what is chosen, show what the board answered, and go back if it refuses.

// `unit`: how much of the board's number is 1 here; `most`: the slider's end where that is less than the number's.
const SLIDERS = [
  { name: "root_score", label: "Root score", hint: "to begin a person", unit: 32768, step: 0.01 },
  { name: "pose_score", label: "Pose score", hint: "to keep a person", unit: 32768, step: 0.01 },
  { name: "nms_radius", label: "Distance, px", hint: "nearer ones are the same", unit: 1, step: 1, most: 100 },
  { name: "max_poses", label: "Most people", hint: "in one frame", unit: 1, step: 1, most: 10 },
  { name: "vote", label: "Vote, px", hint: "neighbours refine a point", unit: 1, step: 1 },
];

const POLL_MS = 50;

export class Settings {
  #form;
  #answer;
  #order;
  #board = {}; // What the board has said last.
  #wanted = null; // What is still to be sent.
  #busy = false;
  #saving = false;
  #fields = new Map();
  #zoom;
  #smooth;

  // `order({do, …})` sends an order to this board.
  constructor(form, number, ranges, order) {
    this.#form = form;
    this.#order = order;
    this.#answer = form.querySelector(".answer");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector(".save").addEventListener("click", () => this.#save());
    for (const slider of SLIDERS) this.#addSlider(slider, ranges[slider.name]);
    for (const radio of this.#radios) {
      radio.name = `mode${number}`;
      radio.addEventListener("change", () => this.#want({ mode: Number(radio.value) }));
    }
    this.#zoom = form.querySelector("select.zoom");
    this.#zoom.addEventListener("change", () => this.#want({ zoom: Number(this.#zoom.value) }));
    this.#smooth = form.querySelector("input.smooth");
    this.#smooth.addEventListener("change", () => this.#want({ smooth: Number(this.#smooth.checked) }));
    this.enable(false);
  }

  #addSlider({ name, label, unit, step, most, hint }, [low, high]) {
    const row = document.createElement("div");
    const text = document.createElement("label");
    const range = document.createElement("input");
    const number = document.createElement("input");
    row.className = "slider";
    const words = document.createElement("span");
    const small = document.createElement("small");
    words.textContent = label;
    small.textContent = hint;
    words.append(small);
    range.type = "range";
    number.type = "number";
    range.className = name;
    number.setAttribute("aria-label", `${label}, as a number`);
    const least = Math.max(step * Math.ceil(low / unit / step), Math.min(step, low / unit));
    for (const input of [range, number]) {
      input.min = unit === 1 ? low : least.toFixed(2);
      input.step = step;
      input.addEventListener(input === range ? "input" : "change", () => {
        const value = Math.round(Number(input.value) * unit);
        if (input.value !== "") this.#want({ [name]: Math.max(low, value) });
        else this.#render();
      });
    }
    number.max = high / unit;
    range.max = most ?? high / unit;
    text.append(words, range);
    row.append(text, number);
    this.#form.querySelector(".sliders").append(row);
    this.#fields.set(name, { range, number, unit, step });
  }

  get #radios() {
    return this.#form.querySelectorAll("input[type=radio]");
  }

  enable(on) {
    for (const field of this.#form.querySelectorAll("input, select, button")) field.disabled = !on;
  }

  // What the board says of itself; null if it is not known.
  show(settings) {
    this.#board = settings ?? {};
    if (!this.#busy) this.#render();
  }

  #render() {
    const values = { ...this.#board, ...this.#wanted };
    for (const [name, { range, number, unit, step }] of this.#fields) {
      if (!(name in values)) continue;
      const value = values[name] / unit;
      range.value = value;
      if (document.activeElement !== number || !this.#busy) number.value = step < 1 ? value.toFixed(2) : value;
    }
    this.#zoom.value = values.zoom ?? 0;
    this.#smooth.checked = Boolean(values.smooth);
    for (const radio of this.#radios) radio.checked = "mode" in values && Number(radio.value) === values.mode;
  }

  // The newest wish waits while another is under way: a slider that is dragged sends no heap of orders.
  #want(change) {
    this.#wanted = { ...this.#wanted, ...change };
    this.#render();
    if (!this.#busy) this.#send();
  }

  async #send() {
    this.#busy = true;
    while (this.#wanted) {
      const wanted = this.#wanted;
      this.#wanted = null;
      const { mode, zoom, smooth, ...poses } = wanted;
      this.#say("", "…");
      const replies = [];
      if (mode !== undefined) replies.push(await this.#order({ do: "mode", mode }));
      if (zoom !== undefined || smooth !== undefined) replies.push(await this.#order({ do: "zoom", zoom, smooth }));
      if (Object.keys(poses).length) replies.push(await this.#order({ do: "poses", ...poses }));
      const refused = replies.find((reply) => !reply.ok);
      if (refused) this.#say("refused", `Not changed: ${refused.text}`);
      else {
        this.#board = { ...this.#board, ...wanted };
        this.#say("taken", "The board has taken it.");
      }
    }
    this.#busy = false;
    this.#render();
  }

  // What is still on its way to the board is saved with the rest.
  async #save() {
    if (this.#saving) return;
    this.#saving = true;
    while (this.#busy) await new Promise((resume) => setTimeout(resume, POLL_MS));
    const { ok, text } = await this.#order({ do: "save" });
    this.#say(ok ? "taken" : "refused", ok ? "Saved: the board starts with these." : `Not saved: ${text}`);
    this.#saving = false;
  }

  #say(kind, text) {
    this.#answer.className = `answer ${kind}`;
    this.#answer.textContent = text;
  }
}
