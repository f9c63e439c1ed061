// Who is signed in: the state in the page's header, and the dialog that asks for a token.

import { formatCount, h } from "./dom.js";
import { getJson, postJson, serviceUrl } from "./api.js";

const account = document.getElementById("account");
const dialog = document.getElementById("login");
const field = document.getElementById("token");
const problem = document.getElementById("login-error");
let onChange = () => {};

/** Show the state of the session. `changed` is called after the visitor has signed in or out. */
export async function startSession(changed) {
  onChange = changed;
  dialog.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); signIn(); });
  document.getElementById("login-cancel").addEventListener("click", () => dialog.close());
  await showState();
}

/** Open the dialog that asks for a token. */
export function askForToken() {
  problem.textContent = "";
  if (!dialog.open) dialog.showModal();
}

/** A button that opens the dialog. */
export function signInButton(text = "Sign in") {
  return h("button", { type: "button", onclick: askForToken }, text);
}

async function showState() {
  try {
    account.replaceChildren(...describe(await getJson(serviceUrl("session"))));
  } catch (error) {
    account.replaceChildren(h("span", { class: "error" }, error.message));
  }
}

function describe(session) {
  if (!session.needs_token) return [];
  const out = h("button", { type: "button", onclick: signOut }, "Sign out");
  if (session.token) return [h("span", { class: "who" }, h("b", {}, session.token.name), h("span", { class: "more" }, ` · ${describeToken(session.token)}`)), out];
  if (session.token_error) return [h("span", { class: "who error" }, "Token refused", h("span", { class: "more" }, `: ${session.token_error}`)), signInButton(), out];
  const sets = session.public_datasets ? `${formatCount(session.public_datasets, "public data set")}` : "a token is needed";
  return [h("span", { class: "who" }, "Not signed in", h("span", { class: "more" }, ` · ${sets}`)), signInButton()];
}

function describeToken(token) {
  const until = token.expires ? `until ${new Date(token.expires * 1000).toLocaleDateString("en", { dateStyle: "medium" })}` : "until it is revoked";
  const sets = token.datasets.includes("*") ? "all data sets" : token.datasets.join(", ");
  return `${token.scopes.join(", ")} · ${sets} · ${until}`;
}

async function signIn() {
  try {
    await postJson(serviceUrl("login"), { token: field.value.trim() });
  } catch (error) {
    problem.textContent = error.message;
    field.select();
    return;
  }
  field.value = "";
  dialog.close();
  await showState();
  onChange();
}

async function signOut() {
  await postJson(serviceUrl("logout"), {});
  await showState();
  onChange();
}
