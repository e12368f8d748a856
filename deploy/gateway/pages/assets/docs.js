/* global SwaggerUIBundle -- from swagger-ui-bundle.js, which the page loads before this */

import { showAccount } from "./account.js";
import { read } from "./api.js";
import { element } from "./elements.js";

const SERVICES = ["identity", "catalog", "booking", "config"];
const METHODS = ["get", "post", "put", "patch", "delete"];
const TYPING_MS = 150;

const finder = document.getElementById("finder");
const operations = document.getElementById("operations");

/** Return a service's document with all its names made its own, so that four fit into one. */
function renamed(document, service) {
  const named = (tag) => `${service} · ${tag}`;
  const text = JSON.stringify(document).replaceAll(
    /"#\/components\/(\w+)\/([^"]+)"/g,
    (_, kind, name) => `"#/components/${kind}/${service}.${name}"`,
  );
  const copy = JSON.parse(text);
  for (const operation of operationsOf(copy)) {
    operation.summary = operation.summary?.replaceAll("`", ""); // shown as it is, unlike descriptions
    operation.tags = (operation.tags ?? ["other"]).map(named);
    operation.security = operation.security?.length ? [{ apiToken: [] }] : [];
    operation.description = [
      operation.description,
      `Who may call it: **${operation["x-access"] ?? "not said"}**.`,
    ].filter(Boolean).join("\n\n");
  }
  copy.tags = (copy.tags ?? []).map((tag) => ({ ...tag, name: named(tag.name) }));
  for (const kind of Object.keys(copy.components)) {
    copy.components[kind] = Object.fromEntries(
      Object.entries(copy.components[kind]).map(([name, part]) => [`${service}.${name}`, part]),
    );
  }
  return copy;
}

const operationsOf = (document) =>
  Object.values(document.paths).flatMap((item) => METHODS.flatMap((method) => item[method] ?? []));

/** Return one document of all; the session cookie goes along by itself, a token is typed in. */
function merged(documents) {
  const components = {};
  for (const document of documents) {
    for (const [kind, parts] of Object.entries(document.components)) {
      components[kind] = { ...components[kind], ...parts };
    }
  }
  components.securitySchemes = {
    apiToken: {
      type: "http",
      scheme: "bearer",
      description: "An API token (cc_…). Without one, requests are made by whoever is signed in here.",
    },
  };
  return {
    openapi: "3.1.0",
    info: { title: "Comedy Connect", version: "1" },
    servers: [{ url: location.origin }],
    tags: documents.flatMap((document) => document.tags),
    paths: Object.assign({}, ...documents.map((document) => document.paths)),
    components,
  };
}

/** Return the document with those operations only that belong to a service and have all the words. */
function matching(whole, { service, words }) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (path, method, operation) => {
    const [tag] = operation.tags;
    const text = `${method} ${path} ${operation.summary ?? ""} ${tag}`.toLowerCase();
    return (!service || tag.startsWith(`${service} ·`)) && wanted.every((word) => text.includes(word));
  };
  const paths = {};
  for (const [path, item] of Object.entries(whole.paths)) {
    const kept = Object.entries(item).filter(
      ([method, part]) => METHODS.includes(method) && fits(path, method, part),
    );
    const shared = Object.entries(item).filter(([name]) => !METHODS.includes(name));
    if (kept.length) paths[path] = Object.fromEntries([...shared, ...kept]);
  }
  const used = new Set(operationsOf({ paths }).flatMap((operation) => operation.tags));
  return { ...whole, paths, tags: whole.tags.filter((tag) => used.has(tag.name)) };
}

function asked() {
  const fields = new FormData(finder);
  return { service: fields.get("service"), words: fields.get("words") };
}

function sayHowMany(document) {
  const count = operationsOf(document).length;
  const text = count === 1 ? "1 operation" : `${count || "No"} operations`;
  globalThis.document.getElementById("found").textContent = text;
}

function sayWhatIsMissing(names) {
  if (!names.length) return;
  const again = element("button", { className: "button quiet", type: "button" }, "Try again");
  again.addEventListener("click", () => location.reload());
  const text = `There is no answer from ${names.join(", ")} at the moment; what you see is the rest.`;
  const note = element("div", { className: "note" }, element("p", {}, text), again);
  document.getElementById("missing").replaceChildren(note);
}

function followColorScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();
}

async function show() {
  operations.replaceChildren(element("p", { className: "note", role: "status" }, "Reading the four documents…"));
  const answers = await Promise.allSettled(SERVICES.map((service) => read(`/docs/${service}.json`)));
  sayWhatIsMissing(SERVICES.filter((_, index) => answers[index].status === "rejected"));
  const whole = merged(
    SERVICES.flatMap((service, index) => {
      const { status, value } = answers[index];
      return status === "fulfilled" ? [renamed(value, service)] : [];
    }),
  );
  const first = matching(whole, asked());
  operations.replaceChildren();
  const page = SwaggerUIBundle({
    domNode: operations,
    spec: first,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    validatorUrl: null,
  });
  sayHowMany(first);
  finder.hidden = false;

  let typing;
  const find = () => {
    const found = matching(whole, asked());
    page.specActions.updateSpec(JSON.stringify(found));
    sayHowMany(found);
  };
  finder.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(find, TYPING_MS);
  });
  finder.addEventListener("submit", (event) => event.preventDefault());
}

const wish = new URLSearchParams(location.search).get("service");
if (SERVICES.includes(wish)) finder.elements.service.value = wish;
followColorScheme();
showAccount(document.getElementById("account"));
show();
