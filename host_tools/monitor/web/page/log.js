// What a board prints, its errors, and what became of the link: the newest lines, scrolled along unless one reads back.

const MOST_LINES = 300;
const NEAR_THE_END = 24;

export class Log {
  #list;

  constructor(list) {
    this.#list = list;
  }

  // `time` in seconds since 1970; now where it is the page itself that speaks.
  add({ kind, text, time = Date.now() / 1000 }) {
    const list = this.#list;
    const follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_THE_END;
    const line = document.createElement("li");
    line.className = kind;
    const when = document.createElement("time");
    when.textContent = new Date(1000 * time).toLocaleTimeString("en-GB");
    line.append(when, text);
    list.append(line);
    while (list.childElementCount > MOST_LINES) list.firstElementChild.remove();
    if (follows) list.scrollTop = list.scrollHeight;
  }

  clear() {
    this.#list.replaceChildren();
  }
}
