import { version } from "@keyloan/contract";
import { Hono } from "hono";
import type { BrokerEnv } from "../http/context.ts";
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
  let made: { readonly json: string; readonly page: string } | undefined;
  const make = () => {
    const document = openApiDocument(app);
    return { json: JSON.stringify(document), page: renderDocs(document) };
  };
  const read = () => {
    made ??= make();
    return made;
  };
  return new Hono<BrokerEnv>()
    .get("/openapi.json", (context) =>
      context.body(read().json, 200, { "content-type": "application/json", "cache-control": "max-age=300" }),
    )
    .get("/docs", (context) => {
      return context.html(read().page, 200, {
        "cache-control": "max-age=300",
        "content-security-policy": `default-src 'none'; style-src '${docsStyleHash}'; frame-ancestors 'none'`,
      });
    });
}
