// The gallery: a page is chosen by the address behind #, and each page is a function that makes elements.

import { h } from "./dom.js";
import { RequestError, pageUrl } from "./api.js";
import { catalogPage } from "./catalog_page.js";
import { datasetPage } from "./dataset_page.js";
import { objectPage } from "./object_page.js";
import { pairPage } from "./pair_page.js";
import { askForToken, signInButton, startSession } from "./session.js";
import { viewPage } from "./view_page.js";

const main = document.getElementById("main");
const breadcrumbs = document.getElementById("crumbs");
let navigation = new AbortController();
let isFirstPage = true;

// Pattern of the address, function that makes the page, and function that names its breadcrumbs.
const PAGES = [
  [/^$/, () => catalogPage(), () => []],
  [/^d\/([^/]+)$/, (name) => datasetPage(name), (name) => [name]],
  [/^d\/([^/]+)\/pair$/, (name) => pairPage(name), (name) => [name, "Pairs"]],
  [/^d\/([^/]+)\/o\/([^/]+)$/, (name, key) => objectPage(name, key), (name, key) => [name, key]],
  [/^d\/([^/]+)\/o\/([^/]+)\/(\d+)$/, (name, key, view) => viewPage(name, key, Number(view)),
    (name, key, view) => [name, key, `View ${view}`]],
];

async function showPage() {
  // A page that is still loading is given up when another one is opened.
  navigation.abort();
  navigation = new AbortController();
  const { signal } = navigation;
  const address = location.hash.replace(/^#\/?/, "");
  const [pattern, makePage, makeNames] = PAGES.find(([tried]) => tried.test(address) && canDecode(address)) ?? [];
  if (!pattern) return replaceContent(h("h1", {}, "There is no such page"), h("p", {}, h("a", { href: "#/" }, "All data sets")));
  const params = pattern.exec(address).slice(1).map(decodeURIComponent);
  const names = makeNames(...params);
  showBreadcrumbs(names, params);
  main.setAttribute("aria-busy", "true");
  try {
    const elements = await makePage(...params);
    if (signal.aborted) return;
    replaceContent(...elements);
    document.title = [...names].reverse().concat("turntable gallery").join(" · ");
  } catch (error) {
    if (!signal.aborted) showError(error);
  } finally {
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

function canDecode(address) {
  try {
    return typeof decodeURIComponent(address) === "string";
  } catch {
    return false;
  }
}

function replaceContent(...elements) {
  main.replaceChildren(...elements);
  // Move focus and scroll position to the new page, but leave them alone when the gallery is opened.
  if (!isFirstPage) main.focus({ preventScroll: true });
  if (!isFirstPage) scrollTo(0, 0);
  isFirstPage = false;
}

function showBreadcrumbs(names, params) {
  const urls = [pageUrl("d", params[0] ?? ""), pageUrl("d", params[0] ?? "", "o", params[1] ?? "")];
  const last = names.length - 1;
  breadcrumbs.replaceChildren(...names.flatMap((name, index) => [
    " / ", index < last ? h("a", { href: urls[index] }, name) : h("span", { "aria-current": "page" }, name),
  ]));
}

function showError(error) {
  const needsToken = error instanceof RequestError && error.status === 401;
  const isRefused = error instanceof RequestError && error.status === 403;
  replaceContent(h("h1", {}, needsToken ? "Sign in to see this page" : "The page cannot be shown"),
    h("p", { class: needsToken ? "quiet" : "error", role: "alert" }, needsToken ? "A token is needed." : error.message),
    h("p", { class: "tools" }, needsToken ? signInButton() : isRefused ? signInButton("Sign in with another token") : null,
      h("a", { href: "#/" }, "All data sets")));
  if (needsToken) askForToken();
}

addEventListener("hashchange", showPage);
startSession(showPage);
showPage();
