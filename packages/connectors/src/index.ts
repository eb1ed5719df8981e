export { defineConnector, writtenNames } from "./kit/define-connector.ts";
export { parseRetryAfter } from "./kit/http.ts";
export { connectors, toCatalogEntries } from "./registry.ts";
