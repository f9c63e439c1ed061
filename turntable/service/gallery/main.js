// The gallery: an address behind # is a page, and each page is a function that makes elements.

import { h } from "./dom.js";
import { Refused, get, page, post } from "./api.js";
import { cataloguePage } from "./catalogue_page.js";
import { datasetPage } from "./dataset_page.js";
import { objectPage, viewPage } from "./object_page.js";
import { pairPage } from "./pair_page.js";

const main = document.getElementById("main");
const crumbs = document.getElementById("crumbs");
const sign = document.getElementById("sign");
let leaving = new AbortController();
let first = true;

const PAGES = [
  [/^$/, () => cataloguePage(), () => []],
  [/^d\/([^/]+)$/, (name) => datasetPage(name), (name) => [name]],
  [/^d\/([^/]+)\/pair$/, (name) => pairPage(name), (name) => [name, "pairs"]],
  [/^d\/([^/]+)\/o\/([^/]+)$/, (name, key) => objectPage(name, key), (name, key) => [name, key]],
  [/^d\/([^/]+)\/o\/([^/]+)\/(\d+)$/, (name, key, view) => viewPage(name, key, Number(view)),
    (name, key, view) => [name, key, `view ${view}`]],
];

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const here = leaving.signal;
  const address = location.hash.replace(/^#\/?/, "");
  const [pattern, make, names] = PAGES.find(([tried]) => tried.test(address) && isWhole(address)) ?? [];
  if (!pattern) return put(h("h1", {}, "There is no such page"), h("p", {}, h("a", { href: "#/" }, "All data sets")));
  const words = pattern.exec(address).slice(1).map(decodeURIComponent);
  trail(names(...words), words);
  main.setAttribute("aria-busy", "true");
  try {
    const made = await make(...words);
    if (here.aborted) return;
    put(...made);
    document.title = [...names(...words)].reverse().concat("turntable gallery").join(" · ");
  } catch (error) {
    if (!here.aborted) refuse(error);
  } finally {
    if (!here.aborted) main.removeAttribute("aria-busy");
  }
}

function isWhole(address) {
  try {
    return typeof decodeURIComponent(address) === "string";
  } catch {
    return false;
  }
}

function put(...elements) {
  main.replaceChildren(...elements);
  if (!first) main.focus({ preventScroll: true });
  if (!first) scrollTo(0, 0);
  first = false;
}

function trail(names, words) {
  const places = [page("d", words[0] ?? ""), page("d", words[0] ?? "", "o", words[1] ?? "")];
  const last = names.length - 1;
  crumbs.replaceChildren(...names.flatMap((name, at) => [
    " / ", at < last ? h("a", { href: places[at] }, name) : h("span", { "aria-current": "page" }, name),
  ]));
}

function refuse(error) {
  put(h("h1", {}, "That did not work"), h("p", { class: "error", role: "alert" }, error.message));
  if (error instanceof Refused && error.status === 401) {
    sign.hidden = false;
    askForToken();
  }
}

function askForToken() {
  const dialog = document.getElementById("login");
  document.getElementById("login-error").textContent = "";
  if (!dialog.open) dialog.showModal();
}

document.getElementById("login-go").addEventListener("click", async (event) => {
  event.preventDefault();
  const field = document.getElementById("token");
  try {
    await post("/login", { token: field.value.trim() });
    field.value = "";
    document.getElementById("login").close();
    show();
  } catch (error) {
    document.getElementById("login-error").textContent = error.message;
  }
});
sign.addEventListener("click", askForToken);
addEventListener("hashchange", show);
addEventListener("need-token", () => { sign.hidden = false; });
show();
