// The page of a view: its picture or another output, with its label drawn over it, and the label's numbers.

import { formatNumber, formatRange, formatValue, h } from "./dom.js";
import { datasetUrl, getJson, hasPictures, pageUrl, viewUrl } from "./api.js";
import { labeledView, legend, lineToggles } from "./labeled_view.js";
import { chosenOutput, outputButtons, outputLegend, outputUrl } from "./outputs.js";

/** Make the elements of the page. */
export async function viewPage(name, key, view) {
  const [label, about, factors] = await Promise.all([
    getJson(`${viewUrl(name, key, view)}.json`), getJson(`${datasetUrl(name)}/about`), getJson(`${datasetUrl(name)}/factors`),
  ]);
  const units = Object.fromEntries(factors.map((factor) => [factor.name, factor.unit]));
  const last = about.views - 1;
  const link = (number, text) => (number < 0 || number > last ? h("span", { class: "quiet" }, text)
    : h("a", { href: pageUrl("d", name, "o", key, number), rel: text === "Next" ? "next" : "prev" }, text));
  return [
    h("h1", {}, `${label.category}: ${label.object}, view ${view}`),
    h("p", { class: "tools" }, link(view - 1, "Previous"), link(view + 1, "Next"), h("a", { href: pageUrl("d", name, "o", key) }, "All views")),
    h("div", { class: "split" },
      hasPictures(about) ? pictureOfView(name, key, view, about, label) : null,
      h("div", {}, labelTable(label, units), label.parts ? partsTable(label) : null)),
  ];
}

/** The picture of a view with its label drawn over it, and what can be shown in its place. */
function pictureOfView(name, key, view, about, label) {
  const stage = labeledView(outputUrl(name, key, view, chosenOutput(name)), `View ${view} of ${label.object} with its label`, label);
  stage.tabIndex = 0;
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && view + step >= 0 && view + step < about.views) location.hash = pageUrl("d", name, "o", key, view + step);
  });
  return h("div", {}, stage, outputChoice(name, key, view, about.outputs, label, stage),
    label.part_overlay ? lineToggles(stage, label) : null,
    label.overlay ? legend(label.overlay)
      : h("p", { class: "quiet" }, "These labels do not describe a scene, so nothing is drawn over the picture."));
}

/** The buttons that change what the frame shows, and the meaning of its colors. */
function outputChoice(name, key, view, outputs, label, stage) {
  const meaning = h("div", {});
  const image = stage.querySelector("img");
  const explain = (output) => {
    stage.classList.toggle("pixels", output !== "rgb");
    meaning.replaceChildren(...(output === "rgb" ? [] : [outputLegend(output, label.parts)]));
  };
  explain(chosenOutput(name));
  return [outputButtons(name, outputs, (output) => {
    image.src = outputUrl(name, key, view, output);
    explain(output);
  }), meaning];
}

/** A table of a label's factors: the value with its unit, and the number as it is stored. */
function labelTable(label, units) {
  return h("table", {},
    h("tr", {}, ["Factor", "Value", "Stored number"].map(heading)),
    Object.entries(label.factors).map(([name, value]) => h("tr", {},
      h("th", { scope: "row" }, name),
      h("td", {}, formatValue(value, units[name] ?? "1")),
      h("td", { class: "quiet" }, String(Number(value.toPrecision(7)))))),
    h("tr", {},
      h("th", { scope: "row" }, "Rotation as quaternion (x, y, z, w)"),
      h("td", { colspan: "2" }, label.quaternion.map((part) => formatNumber(part, 4)).join(", "))));
}

/** A table of the parts: position in the world, and the joint with its value and range. */
function partsTable(label) {
  let numJoints = 0;
  const describeJoint = ({ joint }) => (joint ? [
    `${joint.kind} ${formatValue(label.joint_values[numJoints++], joint.unit)}`,
    h("span", { class: "quiet" }, `, of ${formatRange(joint.low, joint.high, joint.unit)}`)] : []);
  const position = (index) => (label.part_pose
    ? label.part_pose[index].slice(0, 3).map((row) => formatNumber(row[3], 3)).join(", ") : "");
  return h("table", { class: "spaced" },
    h("tr", {}, ["Part", "Position (x, y, z)", "Joint"].map(heading)),
    label.parts.map((part, index) => h("tr", {},
      h("th", { scope: "row" }, h("i", { class: "dot", style: `background:${part.color}` }), part.name),
      h("td", {}, position(index)),
      h("td", {}, describeJoint(part)))));
}

function heading(text) {
  return h("th", { scope: "col" }, text);
}
