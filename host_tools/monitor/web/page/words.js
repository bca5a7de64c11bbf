// What the states of a board are called, and what to say where the picture would be. The states are board_state.py's.

export const STATES = {
  waiting: { word: "Waiting", title: "Waiting for the board", text: "Its program has said nothing yet." },
  starting: { word: "Starting", title: "Starting", text: "" },
  running: { word: "Running" },
  silent: { word: "No frames", title: "No frames come", text: "The program said hello, but sends no frames." },
  paused: { word: "Paused", title: "Paused", text: "The board takes no frames until it is resumed.", clear: true },
  retrying: { word: "In trouble", title: "The board is in trouble", text: "It tries again by itself." },
  no_model: { word: "No model", title: "No model", text: "The board has no model that it can run." },
  receiving: { word: "Receiving", title: "Receiving pixels", text: "Another program sends the board a picture." },
  lost: { word: "Lost", title: "The board is lost", text: "It is taken up again when it comes back." },
  ended: { word: "Ended", title: "Nothing more will come", text: "" },
  apart: { word: "No connection", title: "No connection to the monitor", text: "" },
};

export const RESTARTED = "restarted";
