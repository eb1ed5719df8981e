export { defineConnector, writtenNames } from "./kit/define-connector.ts";
export { connectors, toCatalogEntries } from "./registry.ts";
