// A view in a frame: with its label drawn over it, or as a turntable that one can drag.

import { h, s } from "./dom.js";
import { about, angles, between, matrix, times } from "./rotations.js";
import { viewOf } from "./api.js";

const COLOURS = { x: "var(--x)", y: "var(--y)", z: "var(--z)", light: "var(--light)", translation: "var(--shift)" };
export const MEANINGS = {
  x: "object's x axis",
  y: "object's y axis",
  z: "object's z axis",
  light: "where the light comes from",
  translation: "translation from the centre",
};
const RADIANS_A_PIXEL = 0.012;
const STEP = Math.PI / 36;

/** A picture with the lines of its label over it. */
export function labelled(source, words, overlay) {
  const lines = overlay ? drawing(overlay) : null;
  return h("div", { class: "stage" }, h("img", { src: source, alt: words }), lines);
}

/** What the lines mean. */
export function legend(overlay) {
  const drawn = Object.entries(MEANINGS).filter(([name]) => overlay && visible(overlay[name]));
  return h("ul", { class: "legend" }, drawn.map(([name, words]) =>
    h("li", {}, h("i", { style: `background:${COLOURS[name]}` }), words)));
}

function drawing(overlay) {
  const parts = Object.entries(COLOURS).filter(([name]) => visible(overlay[name]));
  return s("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" }, parts.map(([name, colour]) => {
    const [[x1, y1], [x2, y2]] = overlay[name];
    const tip = s("circle", { cx: x2, cy: y2, r: name === "light" ? 0.018 : 0.014, style: `fill:${colour}` });
    const text = "xyz".includes(name) ? s("text", { x: x2 + 0.02, y: y2 + 0.015 }, name) : null;
    return s("g", { "data-part": name }, s("line", { x1, y1, x2, y2, style: `stroke:${colour}` }), tip, text);
  }));
}

function visible(line) {
  return line && Math.hypot(line[1][0] - line[0][0], line[1][1] - line[0][1]) > 0.004;
}

/**
 * A turntable: dragging, or the arrow keys, turn the object. Views are drawn on request where the service does
 * so; otherwise the stored view whose rotation is nearest is shown.
 */
export function turntable(name, object, renders, size, changed) {
  const views = object.views.map(matrix);
  const image = h("img", { alt: `${object.category}, turned`, draggable: "false" });
  const frame = h("div", {
    class: "stage turns", tabindex: "0", role: "application", "aria-roledescription": "turntable",
    "aria-label": "Turntable: drag, or use the arrow keys; Home shows the first view",
  }, image);
  let pose = views[0];
  let asked = 0;
  let busy = false;

  function stored() {
    let nearest = 0;
    views.forEach((view, number) => {
      if (between(view, pose) < between(views[nearest], pose)) nearest = number;
    });
    image.src = `${viewOf(name, object.key, nearest)}.jpg`;
    changed({ drawn: false, view: nearest, away: between(views[nearest], pose), factors: angles(pose) });
  }

  async function drawn() {
    asked += 1;
    if (busy) return; // the latest pose is asked for when this one is there
    busy = true;
    try {
      for (let last = 0; last !== asked;) {
        last = asked;
        const words = { dataset: name, key: object.key, view: 0, size, ...angles(pose) };
        const answer = await fetch(`/render?${new URLSearchParams(words)}`);
        if (answer.status === 503) {
          await new Promise((done) => setTimeout(done, 300));
          last = 0;
          continue;
        }
        if (!answer.ok) throw new Error((await answer.json()).error);
        const url = URL.createObjectURL(await answer.blob());
        await new Promise((done) => { image.onload = image.onerror = done; image.src = url; });
        URL.revokeObjectURL(url);
        changed({ drawn: true, factors: angles(pose) });
      }
    } catch (error) {
      renders = false;
      stored();
      changed({ problem: error.message, factors: angles(pose) });
    } finally {
      busy = false;
    }
  }

  const show = () => (renders ? drawn() : stored());
  function turn(yaw, pitch) {
    // The camera looks from +y and above: left and right turn about the world's z, up and down about its x.
    pose = times(times(about(2, yaw), about(0, pitch)), pose);
    show();
  }

  let held = null;
  frame.addEventListener("pointerdown", (event) => {
    held = [event.clientX, event.clientY];
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = held;
    held = [event.clientX, event.clientY];
    turn((event.clientX - x) * RADIANS_A_PIXEL, -(event.clientY - y) * RADIANS_A_PIXEL);
  });
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => { held = null; });
  frame.addEventListener("keydown", (event) => {
    const turns = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    if (event.key === "Home") pose = views[0];
    else if (!turns[event.key]) return;
    event.preventDefault();
    turn(...(turns[event.key] ?? [0, 0]));
  });
  stored();
  return frame;
}
