// What a program is made of that goes beyond the client: the command line, which loads no more than a command needs.
export { catalogApi, healthApi, orgKeysApi } from "./administration.ts";
export { isObject } from "./answer.ts";
export { auditApi } from "./audit.ts";
export { buildsApi } from "./builds.ts";
export { type Caller, createCaller } from "./call.ts";
export { clientOver } from "./client.ts";
export { eachOfPages, type PageQuery } from "./pages.ts";
