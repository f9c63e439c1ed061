// A view in a frame with its label drawn over it: the object's axes, the light, and parts with their joints.

import { formatValue, h, svg } from "./dom.js";

const COLORS = { x: "var(--x)", y: "var(--y)", z: "var(--z)", light: "var(--light)", translation: "var(--shift)" };
const MEANINGS = {
  x: "object's x axis",
  y: "object's y axis",
  z: "object's z axis",
  light: "direction of the light",
  translation: "translation of the object",
};

/** A picture with the lines of its label drawn over it; `label` also has the lines of parts, if there are any. */
export function labeledView(url, alt, label) {
  const drawing = label.overlay ? svg("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" },
    objectLines(label.overlay), label.part_overlay ? partLines(label) : null) : null;
  return h("div", { class: "stage" }, h("img", { src: url, alt }), drawing);
}

/** A list that explains the lines of an overlay. */
export function legend(overlay) {
  const drawn = Object.entries(MEANINGS).filter(([name]) => overlay && isVisible(overlay[name]));
  return h("ul", { class: "legend" }, drawn.map(([name, meaning]) =>
    h("li", {}, h("i", { style: `background:${COLORS[name]}` }), meaning)));
}

/** Check boxes that show and hide the lines of the object, of its parts and of its joints in a frame. */
export function lineToggles(stage, label) {
  const groups = [["object", "Object and light"], ["axes", "Axes of parts"]];
  if (label.part_overlay.some((lines) => lines.joint)) groups.push(["joints", "Joints"]);
  return h("div", { class: "chips", role: "group", "aria-label": "Lines over the picture" }, groups.map(([group, text]) =>
    h("label", {}, h("input", { type: "checkbox", checked: true, onchange: (event) => {
      for (const line of stage.querySelectorAll(`[data-group=${group}]`)) line.toggleAttribute("hidden", !event.target.checked);
    } }), ` ${text}`)));
}

function objectLines(overlay) {
  const drawn = Object.entries(COLORS).filter(([name]) => isVisible(overlay[name]));
  return drawn.map(([name, color]) => {
    const [, [x, y]] = overlay[name];
    const tip = svg("circle", { cx: x, cy: y, r: name === "light" ? 0.018 : 0.014, style: `fill:${color}` });
    const text = "xyz".includes(name) ? svg("text", { x: x + 0.02, y: y + 0.015 }, name) : null;
    return svg("g", { "data-part": name, "data-group": "object" }, drawLine(overlay[name], color), tip, text);
  });
}

/** The axes of all parts, then their joints, each with the joint's value in this view. */
function partLines(label) {
  const axes = label.part_overlay.flatMap((lines) => Object.entries(lines.axes));
  let numJoints = 0;
  const joints = label.parts.flatMap((part, index) => {
    if (!part.joint) return [];
    const value = label.joint_values[numJoints++];
    const { joint } = label.part_overlay[index];
    return joint ? [drawJoint(part, value, joint)] : [];
  });
  return [
    svg("g", { class: "thin", "data-group": "axes" }, axes.map(([name, line]) => drawLine(line, COLORS[name]))),
    svg("g", { class: "thin", "data-group": "joints" }, joints),
  ];
}

function drawJoint(part, value, line) {
  const [x, y] = line[1];
  const attributes = { x: x + (x > 0.6 ? -0.02 : 0.02), y: y + 0.015, "text-anchor": x > 0.6 ? "end" : "start" };
  return svg("g", { "data-joint": part.name }, drawLine(line, "#fff", "halo"), drawLine(line, part.color, "dashed"),
    svg("text", attributes, `${part.name} ${formatValue(value, part.joint.unit)}`));
}

function drawLine([[x1, y1], [x2, y2]], color, kind = null) {
  return svg("line", { x1, y1, x2, y2, class: kind, style: `stroke:${color}` });
}

function isVisible(line) {
  return line && Math.hypot(line[1][0] - line[0][0], line[1][1] - line[0][1]) > 0.004;
}
