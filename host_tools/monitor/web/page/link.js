// What the line has carried and lost, and how the board's memory is: the numbers of one board as a list.

// [title, from "statistics" (this side) or "stats" (the board), name, how to write it]; `bad`: more than 0 is a loss.
const ROWS = [
  ["Received", "statistics", "bytes", bytes],
  ["Frames", "statistics", "frames", count],
  ["Not received", "statistics", "missed", count],
  ["Damaged lines", "statistics", "damaged", count, "bad"],
  ["Torn frames", "statistics", "torn", count, "bad"],
  ["Absurd sentences", "statistics", "absurd", count, "bad"],
  ["Held back", "statistics", "throttled", count, "bad"],
  ["Previews lost", "statistics", "blocks_lost", count, "bad"],
  ["Restarts", "statistics", "restarts", count, "bad"],
  ["Reconnects", "statistics", "reconnects", count, "bad"],
  ["Up for", "stats", "uptime_ms", duration],
  ["Computed", "stats", "frames", count],
  ["Skipped by the board", "stats", "skipped", count],
  ["Errors", "stats", "errors", count, "bad"],
  ["Free heap", "stats", "heap_free", bytes],
  ["Free system memory", "stats", "system_free", bytes],
  ["Speed, baud", "stats", "baud", count],
];

function count(value) {
  return value.toLocaleString("en");
}

function bytes(value) {
  if (value < 0) return "unknown";
  return value < 1 << 20 ? `${(value / 1024).toFixed(1)} KiB` : `${(value / (1 << 20)).toFixed(2)} MiB`;
}

function duration(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

export class Link {
  #rows;

  constructor(list) {
    this.#rows = ROWS.map(([title]) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = title;
      value.textContent = "–";
      row.append(term, value);
      list.append(row);
      return { row, value };
    });
  }

  show(message) {
    ROWS.forEach(([, side, name, write, bad], n) => {
      const value = message[side]?.[name];
      const { row, value: cell } = this.#rows[n];
      cell.textContent = value == null ? "–" : write(value);
      row.classList.toggle("bad", Boolean(bad && value > 0));
    });
  }
}
