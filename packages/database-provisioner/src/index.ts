export { toIssuer } from "./to-issuer.ts";
export { type WaitDeps, waitUntil } from "./wait-until.ts";
