import { createHash } from "node:crypto";
import { type EndpointAccess, errorStatuses } from "@keyloan/contract";
import { html, raw } from "hono/html";

type Text = ReturnType<typeof html>;
type Parameter = { name: string; in: string; required?: boolean; description?: string; schema?: unknown };
type Operation = {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, { schema?: unknown; example?: unknown }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>;
  "x-keyloan-access"?: EndpointAccess;
  "x-keyloan-patience-seconds"?: number;
};
type ServedOperation = Operation & { method: string; path: string };
type Document = {
  info: { title: string; version: string; description?: string };
  paths?: Record<string, Record<string, unknown>>;
  components?: { schemas?: Record<string, unknown> };
};

const style = `
:root{color-scheme:light dark;--line:light-dark(#d8dadf,#3a3d45);--soft:light-dark(#f5f6f8,#1d1f24);--quiet:light-dark(#5a5f6b,#a3a8b4)}
body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:2rem 1rem;background:light-dark(#fff,#141518);color:light-dark(#16181d,#eceef2)}
h1{margin:0 0 .25rem}h2{margin:2.5rem 0 .5rem}h3{margin:0;font-size:1rem}
article{border:1px solid var(--line);border-radius:8px;padding:1rem;margin:.75rem 0}
code,pre{font:14px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}pre{background:var(--soft);border-radius:8px;padding:.75rem;overflow:auto}
.verb{display:inline-block;min-width:4.5ch;font-weight:700}.quiet{color:var(--quiet)}
ul{padding-left:1.2rem;margin:.5rem 0}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line)}
details>summary{cursor:pointer}a{color:light-dark(#0b57d0,#8ab4f8)}
`;

/** What the page's content security policy names instead of allowing any inline style. */
export const docsStyleHash = `sha256-${createHash("sha256").update(style).digest("base64")}`;

/** The API for people: one page without scripts, made of the OpenAPI document. */
export function renderDocs(document: object): string {
  const { info, paths = {}, components } = document as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, ...(operation as Operation) })),
  );
  // What the API is for comes first; whether the broker is well comes last.
  const [health = [], others = []] = [true, false].map((wanted) =>
    operations.filter(({ tags = [] }) => tags.includes("health") === wanted),
  );
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title><style>${raw(style)}</style></head><body>
<h1>${info.title}</h1>
<p>${info.description ?? ""}</p>
<p class="quiet">Version ${info.version}. The same for programs: <a href="/openapi.json">openapi.json</a>. Send a token with
<code>Authorization: Bearer klo_…</code> and bodies as JSON.</p>
<h2>Routes</h2>
${[...others, ...health].map(renderOperation)}
<h2 id="errors">Errors</h2>
<p>Every answer that is not 2xx has this shape; <code>remedy</code> says what to do next.</p>
<pre>{ "error": { "code", "message", "remedy"?, "docsUrl"?, "details"?, "requestId" } }</pre>
<table><thead><tr><th>Code</th><th>Status</th></tr></thead><tbody>
${Object.entries(errorStatuses).map(([code, status]) => html`<tr id="error-${code}"><td><code>${code}</code></td><td>${status}</td></tr>`)}
</tbody></table>
<h2>Shapes</h2>
${Object.entries(components?.schemas ?? {}).map(
  ([name, schema]) =>
    html`<details id="shape-${name}"><summary><code>${name}</code></summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>`,
)}
</body></html>`;
  return String(page);
}

function renderOperation({ method, path, ...operation }: ServedOperation): Text {
  const parameters = operation.parameters ?? [];
  const body = operation.requestBody?.content?.["application/json"];
  const successes = Object.entries(operation.responses ?? {}).filter(([status]) => status.startsWith("2"));
  const failures = Object.keys(operation.responses ?? {}).filter((status) => !status.startsWith("2"));
  return html`<article><h3><span class="verb">${method.toUpperCase()}</span> <code>${path}</code></h3>
<p>${operation.summary ?? ""}. <span class="quiet">${describeAccess(operation["x-keyloan-access"])}${describePatience(operation["x-keyloan-patience-seconds"])}</span></p>
${operation.description === undefined ? "" : html`<p>${prose(operation.description)}</p>`}
${
  parameters.length === 0
    ? ""
    : html`<table><tbody>${parameters.map(
        (parameter) =>
          html`<tr><td><code>${parameter.name}</code> <span class="quiet">${parameter.in}${parameter.required === true ? ", required" : ""}</span></td>
<td>${prose(parameter.description ?? "")} <code>${describeSchema(parameter.schema)}</code></td></tr>`,
      )}</tbody></table>`
}
${body === undefined ? "" : html`<p>Body: ${shapeLink(body.schema)}, such as <code>${JSON.stringify(body.example)}</code></p>`}
<ul>${successes.map(
    ([status, { description, content }]) =>
      html`<li><code>${status}</code> ${description ?? ""}: ${shapeLink(Object.values(content ?? {})[0]?.schema)}</li>`,
  )}<li class="quiet">${failures.join(", ")}: <a href="#errors">an error</a></li></ul></article>`;
}

/** Text whose `parts` in backticks are code. */
function prose(text: string): (Text | string)[] {
  return text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
}

function describePatience(seconds: number | undefined): string {
  return seconds === undefined ? "" : ` The answer may take ${seconds} seconds.`;
}

function describeAccess(access: Operation["x-keyloan-access"]): string {
  if (access === undefined || access === "open") return "Open to anyone.";
  if (access === "session") return "For a visit of the build's settings page.";
  if (access === "person") return "For the build's person, on its settings page.";
  const callers = [
    access.admin ? "the admin" : "",
    access.platform === undefined ? "" : `a platform token with ${access.platform}`,
    access.workload === true ? "the build's own token" : "",
  ].filter((caller) => caller !== "");
  return `For ${callers.join(", ")}.`;
}

function shapeLink(schema: unknown): Text | string {
  if (typeof schema !== "object" || schema === null || !("$ref" in schema)) return describeSchema(schema);
  const name = String(schema.$ref).split("/").at(-1) ?? "";
  return html`<a href="#shape-${name}">${name}</a>`;
}

function describeSchema(schema: unknown): string {
  if (typeof schema !== "object" || schema === null) return "";
  if ("enum" in schema && Array.isArray(schema.enum)) return schema.enum.join(" | ");
  const { type, minimum, maximum, default: initial } = schema as Record<string, unknown>;
  const range = minimum === undefined && maximum === undefined ? "" : ` ${minimum ?? ""}…${maximum ?? ""}`;
  const kind = Array.isArray(type) ? type.filter((one) => one !== "null").join(" or ") : String(type ?? "");
  return `${kind}${range}${initial === undefined ? "" : `, default ${String(initial)}`}`;
}
