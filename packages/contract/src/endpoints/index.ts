export { endpoints } from "./all.ts";
export * from "./calls.ts";
export {
  type Access,
  type Endpoint,
  type EndpointAccess,
  type EndpointAnswer,
  type Route,
  type WorkKind,
  workKinds,
} from "./endpoint.ts";
export * from "./groups.ts";
