// How people are drawn, by the switches of the header and the system's colours; the browser remembers the switches.

const SWITCHES = ["mirror", "smooth", "ids", "match"];
const listeners = [];

export const display = {
  watch(listener) {
    listeners.push(listener);
  },
};

function remembered(name) {
  try {
    return localStorage.getItem(name) === "on";
  } catch {
    return false; // Storage may be forbidden.
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

for (const name of SWITCHES) {
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
