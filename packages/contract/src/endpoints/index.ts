export { endpoints } from "./all.ts";
export * from "./calls.ts";
export type { Access, Endpoint, EndpointAccess, EndpointAnswer, Route } from "./endpoint.ts";
export * from "./groups.ts";
