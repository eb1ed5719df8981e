import { catalogSchema } from "../api/catalog.ts";
import { answer, endpoint } from "./endpoint.ts";
import { catalogRoutes } from "./routes.ts";

export const catalogEndpoints = {
  catalog: endpoint(catalogRoutes.catalog, {
    tag: "catalog",
    access: "open",
    summary: "The connectors: fields, env names, help links, grades",
    answers: { 200: answer("all connectors", catalogSchema) },
  }),
};
