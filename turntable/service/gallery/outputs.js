// The outputs of a view: the buttons that choose what is shown, and what its colors mean (output_colors.py).

import { h } from "./dom.js";
import { viewUrl } from "./api.js";

const TITLES = {
  rgb: "Picture", mask: "Mask", depth: "Depth", normals: "Normals", coordinates: "Coordinates", parts: "Parts", flow: "Flow",
};
const TEXTS = {
  mask: "White: the object.",
  depth: "Light to dark: a depth of 1.5 to 4.5 diagonals. Darkest gray: the sky.",
  normals: "Red, green and blue: x, y and z of the normal in the world, from -1 to 1.",
  coordinates: "Red, green and blue: x, y and z of the seen point in the object's frame, from -0.5 to 0.5 diagonals.",
  flow: "Hue: direction of the motion to the next view. Saturation: its length, full from a twentieth of the picture's side. "
    + "Dark: hidden in the next view. Gray: no motion is known.",
};
// What was chosen last for each data set, so that it stays while one goes from view to view.
const chosen = new Map();

/** The output that was chosen last for a data set: "rgb" at first. */
export const chosenOutput = (name) => chosen.get(name) ?? "rgb";

/** The URL of a view's picture, or of another output as a picture in color. */
export function outputUrl(name, key, view, output) {
  return output === "rgb" ? `${viewUrl(name, key, view)}.jpg` : `${viewUrl(name, key, view)}/${output}.png`;
}

/** Buttons that choose one of the outputs of a data set; null if it has pictures alone. */
export function outputButtons(name, outputs, onChoose) {
  if (outputs.length < 2) return null;
  const buttons = outputs.map((output) => h("button", {
    type: "button", "data-output": output, "aria-pressed": String(output === chosenOutput(name)), onclick: () => {
      chosen.set(name, output);
      for (const other of buttons) other.setAttribute("aria-pressed", String(other.dataset.output === output));
      onChoose(output);
    },
  }, TITLES[output] ?? output));
  return h("div", { class: "chips", role: "group", "aria-label": "What is shown" }, buttons);
}

/** The meaning of an output's colors; `parts` are those of the object, or null. */
export function outputLegend(output, parts) {
  if (output === "parts") return partsLegend(parts ?? []);
  const wheel = output === "flow" ? h("i", { class: "wheel", "aria-hidden": "true" }) : null;
  return h("p", { class: "quiet meaning" }, wheel, TEXTS[output] ?? "");
}

function partsLegend(parts) {
  return h("ul", { class: "legend parts", "aria-label": "Parts" }, parts.map((part) => h("li", {},
    h("i", { style: `background:${part.color}` }), part.name,
    part.category === part.name ? null : h("span", { class: "quiet" }, ` (${part.category})`))));
}
