// The facts of a data set: what it holds, how it is read, where it comes from.

import { copyable, formatBytes, formatCount, formatNumber, h } from "./dom.js";
import { datasetUrl, fileUrl, hasPictures } from "./api.js";

const FILES = ["README.md", "croissant.json", "labels.parquet", "manifest.json"];
const DIGEST = /^[0-9a-f]{24,}$/;

/** One line with the sizes of a data set; it breaks between them only. */
export function summaryLine(about) {
  return [
    formatCount(about.objects, "object"), `${formatCount(about.images, "view")}`,
    hasPictures(about) ? `${about.image_size_px} × ${about.image_size_px} pixels` : "no pictures", formatBytes(about.bytes), about.licence,
  ].filter(Boolean).map((part) => part.replaceAll(" ", "\u00a0")).join(" · ");
}

/** The section with all facts. */
export function aboutSection(name, about) {
  const sheet = !hasPictures(about) ? null : h("img", {
    class: "sheet", src: fileUrl(name, "contact-sheet.jpg"), alt: `Contact sheet of ${name}`, loading: "lazy",
    onerror: (event) => event.target.remove(),
  });
  return h("section", { "aria-labelledby": "about" },
    h("h2", { id: "about" }, "About this data set"),
    h("p", {}, copyable(`Loader("${datasetUrl(name)}")`, "the line for a loader")),
    h("div", { class: "split" }, facts(about), sheet),
    h("p", { class: "tools" }, ...FILES.map((file) => h("a", { href: fileUrl(name, file) }, file))),
    h("h3", {}, "Sources"),
    table(Object.entries(about.source).filter(([, value]) => typeof value !== "object" || value === null)),
    h("h3", {}, "Conventions"),
    table(Object.entries(about.conventions)));
}

function facts(about) {
  const splits = about.splits.map((split) =>
    `${formatNumber(Object.values(about.classes[split]).reduce((sum, count) => sum + count, 0))} ${split}`);
  const rows = {
    Objects: `${formatNumber(about.objects)} (${splits.join(", ")})`,
    Views: `${formatNumber(about.images)} (${about.views} of each object)`,
    "Size of a view": `${about.image_size_px} × ${about.image_size_px} pixels`,
    Outputs: about.outputs.join(", ") || "none",
    "Size on disk": `${formatBytes(about.bytes)} in ${formatCount(about.shards, "shard")}`,
    "Objects left out": formatNumber(about.quarantined),
    Meshes: [about.source.name, about.source.version].filter(Boolean).join(" ") || "not recorded",
    License: about.licence || "not recorded",
    Fingerprint: about.fingerprint,
  };
  return h("dl", { class: "facts" }, Object.entries(rows).map(([term, text]) =>
    h("div", {}, h("dt", {}, term), h("dd", {}, shorten(text, term)))));
}

function table(rows) {
  return h("table", {}, rows.map(([term, value]) =>
    h("tr", {}, h("th", { scope: "row" }, term), h("td", {}, shorten(String(value), term)))));
}

/** A checksum becomes its first characters and a button that copies it; other texts stay. */
function shorten(text, term) {
  return DIGEST.test(text) ? copyable(text, term, `${text.slice(0, 12)}…`) : text;
}
