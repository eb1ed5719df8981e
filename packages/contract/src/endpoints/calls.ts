export { userAgent, version } from "../version.ts";
export { addressOf, type CallAnswer, type CallInput, type CallParts, type KnownRoute } from "./call.ts";
export { patienceSeconds } from "./patience.ts";
export * from "./routes.ts";
