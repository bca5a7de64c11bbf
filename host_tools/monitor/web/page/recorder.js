// The header's recorder: one recording of all boards, written by the monitor on its side.

export class Recorder {
  #form;
  #button;
  #status;
  #on = false;

  constructor(form, connection) {
    this.#form = form;
    this.#button = form.querySelector("button");
    this.#status = form.querySelector("output");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const name = form.elements.name.value.trim() || null;
      const { ok, text } = await connection.order({ do: "record", on: !this.#on, name: this.#on ? null : name });
      if (!ok) this.#say(text, true);
    });
  }

  show({ on, name, folder, lines, text }) {
    this.#on = on;
    this.#form.classList.toggle("on", on);
    this.#form.elements.name.disabled = on;
    this.#button.textContent = on ? "Stop" : "Record";
    this.#button.setAttribute("aria-pressed", String(on));
    this.#status.title = folder;
    this.#say(on ? `${name}: ${lines} lines` : text, false);
  }

  #say(text, refused) {
    // Twice a second a changed number is no news for a screen reader.
    this.#status.setAttribute("aria-live", this.#on ? "off" : "polite");
    this.#status.classList.toggle("refused", refused);
    this.#status.textContent = text;
  }
}
