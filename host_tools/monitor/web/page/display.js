// How people are drawn, by the switches of the header and the system's colours; the browser remembers the switches.

// As they are until somebody switches them.
const SWITCHES = { mirror: false, smooth: false, ids: false, match: true };
const listeners = [];

export const display = {
  watch(listener) {
    listeners.push(listener);
  },
};

function remembered(name) {
  try {
    return { on: true, off: false }[localStorage.getItem(name)] ?? SWITCHES[name];
  } catch {
    return SWITCHES[name]; // Storage may be forbidden.
  }
}

function remember(name, on) {
  try {
    localStorage.setItem(name, on ? "on" : "off");
  } catch {
    // Then it is forgotten.
  }
}

function tell() {
  listeners.forEach((listener) => listener());
}

for (const name of Object.keys(SWITCHES)) {
  const box = document.getElementById(name);
  display[name] = box.checked = remembered(name);
  box.addEventListener("change", () => {
    display[name] = box.checked;
    remember(name, box.checked);
    tell();
  });
}

// A colour of style.css, which has one set for light and one for dark.
const kept = new Map();
export function colour(name) {
  if (!kept.has(name)) kept.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return kept.get(name);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  kept.clear();
  tell();
});
