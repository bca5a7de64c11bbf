// The websocket to the monitor: connects again when it breaks, matches replies to orders.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

export class Connection {
  #socket = null;
  #wait = FIRST_WAIT_MS;
  #number = 0;
  #replies = new Map();
  #replyMs = 20000; // Until the monitor tells its own limit.
  #take;
  #changed;

  // `take(message, blob)` gets every message, `changed(isOpen)` whether there is a connection.
  constructor(take, changed) {
    this.#take = take;
    this.#changed = changed;
    this.#open();
  }

  #open() {
    const socket = new WebSocket(`ws://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      this.#wait = FIRST_WAIT_MS;
      this.#changed(true);
    });
    socket.addEventListener("message", (event) => this.#receive(event.data));
    socket.addEventListener("close", () => this.#closed());
    this.#socket = socket;
  }

  #closed() {
    this.#changed(false);
    for (const number of this.#replies.keys()) this.#answer(number, false, "The connection to the monitor broke.");
    setTimeout(() => this.#open(), this.#wait);
    this.#wait = Math.min(LONGEST_WAIT_MS, 2 * this.#wait);
  }

  #receive(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.type === "reply") this.#answer(message.id, message.ok, message.text);
      else {
        this.#replyMs = message.reply_ms ?? this.#replyMs;
        this.#take(message, null);
      }
      return;
    }
    // A picture: one line of JSON, then the file.
    const bytes = new Uint8Array(data);
    const end = bytes.indexOf(10);
    this.#take(JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), new Blob([bytes.subarray(end + 1)]));
  }

  #answer(number, ok, text) {
    const resolve = this.#replies.get(number);
    this.#replies.delete(number);
    resolve?.({ ok, text });
  }

  // Sends an order; resolves to {ok, text}, never rejects.
  order(what) {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      return Promise.resolve({ ok: false, text: "There is no connection to the monitor." });
    }
    const id = ++this.#number;
    this.#socket.send(JSON.stringify({ id, ...what }));
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      setTimeout(() => this.#answer(id, false, "No answer came."), this.#replyMs);
    });
  }
}
