export { type IssuerTools, toIssuer } from "./to-issuer.ts";
export { type WaitLimits, type WaitTools, waitUntil } from "./wait-until.ts";
