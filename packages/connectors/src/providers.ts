// The list. A new provider is one folder and one line here; everything else derives from it.
export { appSecrets } from "./app-secrets/index.ts";
export { clerk } from "./clerk/index.ts";
export { r2 } from "./r2/index.ts";
export { resend } from "./resend/index.ts";
export { sentry } from "./sentry/index.ts";
export { stripe } from "./stripe/index.ts";
export { turso } from "./turso/index.ts";
