// Places for labels beside people, so that no two lie on each other.

// Edges that meet may differ by the last bits of a sum.
const TOUCH = 1e-6;
const before = (a, sideA, b) => a + sideA <= b + TOUCH;
const apart = (a, b) =>
  before(a.x, a.width, b.x) || before(b.x, b.width, a.x) || before(a.y, a.height, b.y) || before(b.y, b.height, a.y);

// `wanted`: boxes {x, y, width, height}, in the order in which they choose. Each gets the place nearest above or below
// that is free and inside of width x height; null where there is none.
export function placeLabels(wanted, width, height) {
  const placed = [];
  return wanted.map((box) => {
    const place = box && nearest(box, placed, width, height);
    if (place) placed.push(place);
    return place;
  });
}

function nearest(box, placed, width, height) {
  if (box.width > width || box.height > height) return null;
  const last = height - box.height;
  const x = Math.min(Math.max(box.x, 0), width - box.width);
  const y = Math.min(Math.max(box.y, 0), last);
  // Free places begin where it is wanted, or at an edge of one that is there.
  const edges = placed.flatMap((other) => [other.y - box.height, other.y + other.height]);
  const places = [y, ...edges.filter((edge) => edge >= 0 && edge <= last)].map((top) => ({ ...box, x, y: top }));
  places.sort((a, b) => Math.abs(a.y - y) - Math.abs(b.y - y));
  return places.find((place) => placed.every((other) => apart(place, other))) ?? null;
}
