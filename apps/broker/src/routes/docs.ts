import { version } from "@keyloan/contract";
import { Hono } from "hono";
import type { BrokerEnv } from "../http/context.ts";
import { type KeptFile, keepFile, sendFile } from "../http/kept-file.ts";
import type { BrokerRouter } from "../http/router.ts";
import { docsStyleHash, renderDocs } from "./docs-page.ts";

/** The OpenAPI document of an app whose routes are all mounted. */
export function openApiDocument(app: BrokerRouter) {
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Keyloan broker",
      version,
      description: "Lends a build a full set of working keys, and swaps in the user's own before handoff.",
    },
    servers: [{ url: "/" }],
  });
}

/** `/openapi.json`, and the same for people at `/docs`. Both are made when they are first asked for, and kept. */
export function docsRoutes(app: BrokerRouter) {
  let made: { readonly json: KeptFile; readonly page: KeptFile } | undefined;
  const make = () => {
    const document = openApiDocument(app);
    return {
      json: keep(JSON.stringify(document), "application/json"),
      page: keep(renderDocs(document), "text/html; charset=utf-8"),
    };
  };
  const read = () => {
    made ??= make();
    return made;
  };
  return new Hono<BrokerEnv>()
    .get("/openapi.json", (context) => sendFile(context, read().json, { "cache-control": "max-age=300" }))
    .get("/docs", (context) =>
      sendFile(context, read().page, {
        "cache-control": "max-age=300",
        "content-security-policy": `default-src 'none'; style-src '${docsStyleHash}'; frame-ancestors 'none'`,
      }),
    );
}

const keep = (text: string, type: string) => keepFile(new TextEncoder().encode(text), type);
