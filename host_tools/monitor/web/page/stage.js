// The picture of one board: its camera's preview where there is one, the people of the newest frame over it.

import { display } from "/display.js";
import { COLOURS, drawPeople } from "/people.js";

const DEFAULT_SIZE = [320, 240];
const ARIA_MS = 1000;
// A picture is seconds behind its people on a slow line.
const MOST_REMEMBERED = 200;

export class Stage {
  #canvas;
  #skeleton;
  #size = DEFAULT_SIZE;
  #turned = false;
  #poses = [];
  #windows = []; // Where the network looked closer, x, y, width, height in pixels of its picture.
  #lastFrame = 0;
  #frames = new Map(); // The people of the last frames, by number.
  #picture = null;
  #pictureFrame = 0;
  #pictures = 0;
  #due = false;
  #describing = null;

  constructor(canvas, skeleton) {
    this.#canvas = canvas;
    this.#skeleton = skeleton;
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  // The model's picture in pixels, 0 while there is no model; a turned one's JPEGs lie on their side.
  resize(width, height, turned) {
    this.#turned = turned;
    const size = width && height ? [width, height] : DEFAULT_SIZE;
    if (size[0] === this.#size[0] && size[1] === this.#size[1]) return;
    this.#size = size;
    this.#canvas.style.aspectRatio = `${size[0]} / ${size[1]}`;
    this.redraw();
  }

  show(poses, frame, windows) {
    if (frame <= this.#lastFrame) this.#frames.clear(); // The board counts from the beginning again.
    this.#lastFrame = frame;
    this.#poses = poses;
    this.#windows = windows;
    this.#frames.set(frame, poses);
    if (this.#frames.size > MOST_REMEMBERED) this.#frames.delete(this.#frames.keys().next().value);
    this.#describe();
    this.redraw();
  }

  // Nobody is to be seen: the board is not running.
  clear() {
    this.#poses = this.#windows = [];
    this.#frames.clear();
    this.#describe();
    this.redraw();
  }

  // A JPEG of a frame; one that is no picture is passed over.
  async preview(blob, frame) {
    const number = ++this.#pictures;
    let picture;
    try {
      picture = await createImageBitmap(blob);
    } catch {
      return;
    }
    if (number !== this.#pictures) return picture.close();
    this.#picture?.close();
    this.#picture = picture;
    this.#pictureFrame = frame;
    this.redraw();
  }

  endPreview() {
    this.#pictures++;
    this.#picture?.close();
    this.#picture = null;
    this.redraw();
  }

  redraw() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw();
    });
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = devicePixelRatio;
    if (this.#canvas.width !== Math.round(width * ratio) || this.#canvas.height !== Math.round(height * ratio)) {
      this.#canvas.width = Math.round(width * ratio);
      this.#canvas.height = Math.round(height * ratio);
    }
    const context = this.#canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (this.#picture) this.#drawPicture(context, width, height);
    this.#drawWindows(context, this.#view(width, height));
    drawPeople(context, this.#view(width, height), this.#shown(), keypoints, this.#skeleton, colourOf, label);
  }

  // The newest people, or those of the picture; if its frame was not sent, of the one that is nearest to it.
  #shown() {
    if (!display.match || !this.#picture) return this.#poses;
    const away = (frame) => Math.abs(frame - this.#pictureFrame);
    const nearest = [...this.#frames.keys()].reduce((a, b) => (away(b) < away(a) ? b : a), Infinity);
    return this.#frames.get(nearest) ?? this.#poses;
  }

  #drawPicture(context, width, height) {
    context.save();
    if (display.mirror) {
      context.translate(width, 0);
      context.scale(-1, 1);
    }
    // Rows and columns exchanged: what is right of a pixel in memory is below it here.
    if (this.#turned) context.transform(0, 1, 1, 0, 0, 0);
    context.drawImage(this.#picture, 0, 0, ...(this.#turned ? [height, width] : [width, height]));
    context.restore();
  }

  // A thin frame for each window.
  #drawWindows(context, { x, y }) {
    context.strokeStyle = "#a0a0a0";
    context.lineWidth = 1;
    for (const [left, top, width, height] of this.#windows) {
      const [from, to] = [x(16 * left), x(16 * (left + width))];
      context.strokeRect(Math.min(from, to), y(16 * top), Math.abs(to - from), y(16 * (top + height)) - y(16 * top));
    }
  }

  #view(width, height) {
    const [across, down] = this.#size.map((pixels) => 16 * pixels);
    // Whole pixels are centres of areas, of which the canvas shows the edges: 8 is half a pixel.
    const x = (x16) => ((x16 + 8) / across) * width;
    return { width, height, x: display.mirror ? (x16) => width - x(x16) : x, y: (y16) => ((y16 + 8) / down) * height };
  }

  // For who cannot see the picture; not with every frame.
  #describe() {
    this.#describing ??= setTimeout(() => this.#describeNow(), ARIA_MS);
  }

  #describeNow() {
    this.#describing = null;
    const scores = this.#poses.map((pose) => (pose.score / 255).toFixed(2)).join(", ");
    const people = this.#poses.length === 1 ? "1 person" : `${this.#poses.length} people`;
    this.#canvas.setAttribute("aria-label", scores ? `${people}, scores ${scores}` : "No people");
  }
}

const keypoints = (pose) => (display.smooth ? pose.smooth : pose.keypoints);
const colourOf = (pose) => COLOURS[pose.colour % COLOURS.length];
const label = (pose) => `${display.ids ? `#${pose.id}  ` : ""}${(pose.score / 255).toFixed(2)}`;
