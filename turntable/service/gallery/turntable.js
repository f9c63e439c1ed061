// A view in a frame as a turntable to drag.

import { h } from "./dom.js";
import { angleBetween, factorsFromMatrix, matrixFromFactors, multiply, rotationAbout } from "./rotations.js";
import { serviceUrl, viewUrl } from "./api.js";

const RADIANS_PER_PIXEL = 0.012;
const RADIANS_PER_KEY = Math.PI / 36;

/**
 * A turntable: the object rotates when it is dragged, or by the arrow keys. If the service renders views, each pose
 * is rendered; otherwise the stored view with the nearest rotation is shown. `onChange` is called with what is shown.
 */
export function turntable(name, object, canRender, size, onChange) {
  const rotations = object.views.map(matrixFromFactors);
  const image = h("img", { alt: `${object.category}, rotated`, draggable: "false" });
  const frame = h("div", {
    class: "stage turns", tabindex: "0", role: "application", "aria-roledescription": "turntable",
    "aria-label": "Turntable: drag or use the arrow keys to rotate the object; Home shows the first view",
  }, image);
  let pose = rotations[0];
  let numRequested = 0;
  let busy = false;

  function showStored() {
    let nearest = 0;
    rotations.forEach((rotation, view) => {
      if (angleBetween(rotation, pose) < angleBetween(rotations[nearest], pose)) nearest = view;
    });
    image.src = `${viewUrl(name, object.key, nearest)}.jpg`;
    const distance = angleBetween(rotations[nearest], pose);
    onChange({ rendered: false, view: nearest, distance, factors: factorsFromMatrix(pose) });
  }

  async function showRendered() {
    numRequested += 1;
    // One request at a time: a running loop goes on with the latest pose, and skips those in between.
    if (busy) return;
    busy = true;
    try {
      for (let last = 0; last !== numRequested;) {
        last = numRequested;
        const params = { dataset: name, key: object.key, view: 0, size, ...factorsFromMatrix(pose) };
        const response = await fetch(serviceUrl(`render?${new URLSearchParams(params)}`));
        if (response.status === 503) { // the queue is full: try again soon
          await new Promise((done) => setTimeout(done, 300));
          last = 0;
          continue;
        }
        if (!response.ok) throw new Error((await response.json()).error);
        const url = URL.createObjectURL(await response.blob());
        await new Promise((done) => { image.onload = image.onerror = done; image.src = url; });
        URL.revokeObjectURL(url);
        onChange({ rendered: true, factors: factorsFromMatrix(pose) });
      }
    } catch (error) {
      canRender = false;
      showStored();
      onChange({ problem: error.message, factors: factorsFromMatrix(pose) });
    } finally {
      busy = false;
    }
  }

  const showPose = () => (canRender ? showRendered() : showStored());
  function rotate(yaw, pitch) {
    // The camera looks from +y and above: left and right rotate about the world's z axis, up and down about its x axis.
    pose = multiply(multiply(rotationAbout(2, yaw), rotationAbout(0, pitch)), pose);
    showPose();
  }

  let dragged = null;
  frame.addEventListener("pointerdown", (event) => {
    dragged = [event.clientX, event.clientY];
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const [x, y] = dragged;
    dragged = [event.clientX, event.clientY];
    rotate((event.clientX - x) * RADIANS_PER_PIXEL, -(event.clientY - y) * RADIANS_PER_PIXEL);
  });
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => { dragged = null; });
  frame.addEventListener("keydown", (event) => {
    const steps = {
      ArrowLeft: [-RADIANS_PER_KEY, 0], ArrowRight: [RADIANS_PER_KEY, 0],
      ArrowUp: [0, RADIANS_PER_KEY], ArrowDown: [0, -RADIANS_PER_KEY],
    };
    if (event.key === "Home") pose = rotations[0];
    else if (!steps[event.key]) return;
    event.preventDefault();
    rotate(...(steps[event.key] ?? [0, 0]));
  });
  showStored();
  return frame;
}
