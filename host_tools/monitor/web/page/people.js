// Draws people on a canvas: lines between keypoints, joints, and a label at the head.

import { placeLabels } from "/labels.js";

// The LCD's colours in their order (green, yellow, cyan, magenta, orange, blue), softened.
export const COLOURS = ["#4be38a", "#ffd84d", "#4fd6ff", "#ff7ae0", "#ffa04d", "#a3b4ff"];
// 64 of 255, as on the LCD.
export const LEAST_SCORE = 64;
const CASING = "rgba(4, 8, 12, 0.7)";
const LINE = 0.009;
const JOINT = 0.0095;
const FACE = 5;
const LABEL_ABOVE = 0.055;

// `view`: width, height (of the canvas, CSS pixels), x(x16), y(y16); `label`: text for a pose.
export function drawPeople(context, view, poses, keypointsOf, skeleton, colourOf, label) {
  const place = ([x, y, score]) => ({ x: view.x(x), y: view.y(y), seen: score >= LEAST_SCORE });
  const people = poses.map((pose) => keypointsOf(pose).map(place));
  // The best one last, in front; labels in front of all.
  for (let n = poses.length - 1; n >= 0; n--) {
    const colour = colourOf(poses[n]);
    drawLines(context, view, people[n], skeleton, colour);
    drawJoints(context, view, people[n], colour);
  }
  const size = Math.max(11, Math.min(17, 0.028 * view.width));
  context.font = `600 ${size}px system-ui, sans-serif`;
  const texts = poses.map(label);
  const boxes = people.map((points, n) => labelBox(context, view, points, texts[n], size));
  placeLabels(boxes, view.width, view.height).forEach((box, n) => {
    if (box) drawLabel(context, box, texts[n], size, colourOf(poses[n]));
  });
}

function drawLines(context, view, points, skeleton, colour) {
  const path = new Path2D();
  for (const [from, to] of skeleton) {
    if (!points[from].seen || !points[to].seen) continue;
    path.moveTo(points[from].x, points[from].y);
    path.lineTo(points[to].x, points[to].y);
  }
  context.lineCap = context.lineJoin = "round";
  for (const [style, width] of [[CASING, 2 * LINE], [colour, LINE]]) {
    context.strokeStyle = style;
    context.lineWidth = Math.max(1.5, width * view.width);
    context.stroke(path);
  }
}

function drawJoints(context, view, points, colour) {
  const radius = Math.max(2, JOINT * view.width);
  points.forEach((point, part) => {
    if (!point.seen) return;
    context.beginPath();
    context.arc(point.x, point.y, part < FACE ? 0.75 * radius : radius, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = Math.max(1, 0.3 * radius);
    context.strokeStyle = CASING;
    context.stroke();
  });
}

// Where a label would be best: above the head.
function labelBox(context, view, points, text, size) {
  const seen = points.filter((point) => point.seen);
  if (!seen.length || !text) return null;
  const head = seen.reduce((a, b) => (b.y < a.y ? b : a));
  const width = context.measureText(text).width + size;
  const height = 1.5 * size;
  return { x: head.x - width / 2, y: head.y - LABEL_ABOVE * view.width - height / 2, width, height };
}

function drawLabel(context, box, text, size, colour) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = "rgba(4, 8, 12, 0.8)";
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, box.height / 2);
  context.fill();
  context.fillStyle = colour;
  context.fillText(text, box.x + box.width / 2, box.y + box.height / 2 + 1);
}
