// Elements, made safely: text is text, whatever a data set calls its objects.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes, listeners (onclick: …) and children; strings become text. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for parts of drawings. */
export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
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

/** A number as people read it. */
export function told(value, digits = 4) {
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(digits)));
}

/** A size as people read it. */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${told(count / 1000 ** step, 3)} ${units[step]}`;
}

/** A factor's value with its unit: angles in degrees. */
export function measured(value, unit) {
  if (unit === "rad") return `${Number(((value * 180) / Math.PI).toFixed(1))}°`;
  return `${told(value, 3)}${{ 1: "", turn: " turns" }[unit] ?? ` ${unit}`}`;
}

/** Calls that come in a rush become one, a moment after the last. */
export function settled(action, milliseconds = 200) {
  let timer = 0;
  return (...words) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...words), milliseconds);
  };
}
