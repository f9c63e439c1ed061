// Drawings of an object's arrays in space: clouds, tracks, scans, graphs and molecules, to turn and to play.

import { h } from "./dom.js";
import { getJson, objectUrl } from "./api.js";

const SIDE = 512; // pixels of the canvas
const RADIANS_PER_PIXEL = 0.01;
const RADIANS_PER_KEY = Math.PI / 18;
const FRAMES_PER_SECOND = 8;
const START = { azimuth: 0.6, elevation: 0.45, zoom: 1 };
const ABOVE = { azimuth: -Math.PI / 2, elevation: Math.PI / 2, zoom: 1 };

/** A frame with the drawings of an object: buttons choose one; null if the data set has none. */
export function spaceView(name, key, titles) {
  const names = Object.keys(titles);
  if (names.length === 0) return null;
  const stage = makeStage();
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const loaded = new Map();
  let latest = 0;

  async function choose(drawing) {
    const current = ++latest;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.drawing === drawing));
    try {
      if (!loaded.has(drawing)) loaded.set(drawing, await getJson(`${objectUrl(name, key)}/drawings/${drawing}.json`));
      if (current !== latest) return;
      problem.hidden = true;
      stage.show(loaded.get(drawing));
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }

  const buttons = names.map((drawing) => h("button", {
    type: "button", "data-drawing": drawing, "aria-pressed": "false", onclick: () => choose(drawing),
  }, titles[drawing]));
  choose(names[0]);
  return h("section", { class: "player space", "aria-label": "In space" }, h("h2", {}, "In space"),
    h("div", { class: "chips", role: "group", "aria-label": "What is drawn" }, buttons), problem, stage.element);
}

/** A canvas that shows a drawing; `show` sets it. */
function makeStage() {
  const canvas = h("canvas", { width: SIDE, height: SIDE });
  const element = h("div", {
    class: "stage turns", tabindex: "0", role: "application", "aria-roledescription": "drawing in space",
    "aria-label": "Drawing: drag or use the arrow keys to turn it, plus and minus or the wheel to zoom; Space plays",
  }, canvas);
  const slider = h("input", { type: "range", min: 0, value: 0, "aria-label": "Frame",
    oninput: () => { setPlaying(false); state.frame = Number(slider.value); draw(); } });
  const play = h("button", { type: "button", class: "strong", onclick: () => setPlaying(!state.timer) }, "Play");
  const tools = h("div", { class: "tools" }, play, slider);
  const caption = h("p", { class: "quiet", role: "status" });
  const state = { ...START, drawing: null, center: [0, 0, 0], size: 1, frame: 0, timer: 0 };

  function show(drawing) {
    setPlaying(false);
    Object.assign(state, { drawing, frame: 0 }, measure(drawing), startOf(drawing));
    slider.max = Math.max(0, drawing.frames.length - 1);
    tools.hidden = drawing.frames.length < 2;
    draw();
  }

  function draw() {
    const frame = state.drawing?.frames[state.frame];
    slider.value = state.frame;
    if (frame) paint(canvas, state, frame);
    else canvas.getContext("2d").clearRect(0, 0, SIDE, SIDE);
    caption.textContent = frame ? describe(state, frame) : "This object has none.";
  }

  function turn(azimuth, elevation) {
    state.azimuth += azimuth;
    state.elevation = Math.min(Math.PI / 2, Math.max(-Math.PI / 2, state.elevation + elevation));
    draw();
  }

  function zoom(factor) {
    state.zoom = Math.min(40, Math.max(0.2, state.zoom * factor));
    draw();
  }

  function setPlaying(isPlaying) {
    clearInterval(state.timer);
    state.timer = isPlaying ? setInterval(advance, 1000 / FRAMES_PER_SECOND) : 0;
    play.textContent = isPlaying ? "Pause" : "Play";
  }

  function advance() {
    if (!element.isConnected) return setPlaying(false); // another page is shown
    state.frame = (state.frame + 1) % state.drawing.frames.length;
    draw();
  }

  listen(element, turn, zoom, () => tools.hidden || setPlaying(!state.timer), () => { Object.assign(state, startOf(state.drawing)); draw(); });
  return { element: h("div", {}, element, tools, caption), show };
}

/** Where a drawing is seen from at first. */
const startOf = (drawing) => (drawing?.from_above ? ABOVE : START);

/** Listen to the pointer, the wheel and the keys of a stage. */
function listen(element, turn, zoom, togglePlay, reset) {
  element.addEventListener("pointerdown", (event) => element.setPointerCapture(event.pointerId));
  element.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) turn(-event.movementX * RADIANS_PER_PIXEL, event.movementY * RADIANS_PER_PIXEL);
  });
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 500));
  }, { passive: false });
  const actions = {
    ArrowLeft: () => turn(-RADIANS_PER_KEY, 0), ArrowRight: () => turn(RADIANS_PER_KEY, 0),
    ArrowUp: () => turn(0, RADIANS_PER_KEY), ArrowDown: () => turn(0, -RADIANS_PER_KEY),
    "+": () => zoom(1.25), "-": () => zoom(0.8), Home: reset, " ": togglePlay,
  };
  element.addEventListener("keydown", (event) => {
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
}

/** The center and the radius of the box that holds all frames. */
function measure(drawing) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const { points, lines } of drawing.frames) {
    for (const places of [points, lines]) {
      places.forEach((value, index) => {
        low[index % 3] = Math.min(low[index % 3], value);
        high[index % 3] = Math.max(high[index % 3], value);
      });
    }
  }
  const sides = high.map((value, axis) => value - low[axis]);
  return { center: low.map((value, axis) => value + sides[axis] / 2), size: Math.max(Math.hypot(...sides) / 2, 1e-6) };
}

/** The function from a place to the canvas: x, y, and the depth toward the viewer, which grows with nearness. */
function makeProjection({ azimuth, elevation, zoom, center, size }) {
  const [ca, sa, ce, se] = [Math.cos(azimuth), Math.sin(azimuth), Math.cos(elevation), Math.sin(elevation)];
  const scale = (SIDE / 2 / size) * 0.92 * zoom;
  return (places, at) => {
    const [x, y, z] = [places[at] - center[0], places[at + 1] - center[1], places[at + 2] - center[2]];
    const [right, back] = [-sa * x + ca * y, ca * x + sa * y];
    return [SIDE / 2 + scale * right, SIDE / 2 - scale * (ce * z - se * back), se * z + ce * back];
  };
}

function paint(canvas, state, frame) {
  const context = canvas.getContext("2d");
  const { drawing } = state;
  const project = makeProjection(state);
  context.clearRect(0, 0, SIDE, SIDE);
  context.lineWidth = 1.6;
  frame.line_colors.forEach((color, index) => {
    const [[x1, y1], [x2, y2]] = [project(frame.lines, 6 * index), project(frame.lines, 6 * index + 3)];
    context.strokeStyle = drawing.palette[color];
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  });
  const radius = Math.min(14, Math.max(1.1, (drawing.radius * SIDE * 0.46 * state.zoom) / state.size));
  const placed = frame.point_colors.map((color, index) => [...project(frame.points, 3 * index), color]);
  placed.sort((one, other) => one[2] - other[2]); // near points cover far ones
  for (const [x, y, depth, color] of placed) {
    context.globalAlpha = 0.55 + 0.45 * Math.min(1, Math.max(0, (depth / state.size + 1) / 2));
    context.fillStyle = drawing.palette[color];
    if (radius < 2.5) context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    else {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

function describe({ drawing, frame: number, size }, frame) {
  const place = drawing.frames.length > 1 ? `Frame ${number + 1} of ${drawing.frames.length}. ` : "";
  const across = `${Number((2 * size).toPrecision(3))} ${drawing.unit}`;
  return `${place}${frame.point_colors.length} points, ${frame.line_colors.length} lines, ${across} across. Drag to turn.`;
}
