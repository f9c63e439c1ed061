// Helpers that make elements and format values.
// Texts become text nodes, never HTML: a data set may have any names.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/** Make an HTML element with attributes, listeners (onclick: …) and children; strings become text. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Make an SVG element in the same way. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG_NAMESPACE, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

/** Format a number: whole numbers with thousands separators, others with some significant digits. */
export function formatNumber(value, digits = 4) {
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(digits)));
}

/** Format a count with its noun: "1 object", "24 objects". */
export function formatCount(count, noun) {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Format a size in bytes. */
export function formatBytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${formatNumber(count / 1000 ** step, 3)} ${units[step]}`;
}

/** Format a factor's value with its unit; angles in degrees. */
export function formatValue(value, unit) {
  if (unit === "rad") return `${Number(((value * 180) / Math.PI).toFixed(1))}°`;
  return `${formatNumber(value, 3)}${{ 1: "", turn: value === 1 ? " turn" : " turns" }[unit] ?? ` ${unit}`}`;
}

/** Format a range of a factor's values, with the unit once unless it is degrees. */
export function formatRange(from, to, unit) {
  return `${unit === "rad" ? formatValue(from, unit) : formatNumber(from, 3)} to ${formatValue(to, unit)}`;
}

/** A short form of a long text, such as a checksum, with a button that copies the whole. */
export function copyable(text, label, shown = text) {
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${label}`, onclick: async () => {
    await copyText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  } }, "Copy");
  return h("span", { class: "copyable" }, h("code", { title: text }, shown), " ", button);
}

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain HTTP of another machine has no clipboard: a selected text can still be copied.
  const area = h("textarea", { class: "skip", "aria-hidden": "true" }, text);
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Return a function that calls `action` once, when it was not called again for some milliseconds. */
export function debounce(action, milliseconds = 200) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...args), milliseconds);
  };
}
