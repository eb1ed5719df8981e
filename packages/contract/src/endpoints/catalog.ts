import { catalogSchema } from "../api/catalog.ts";
import { answer, endpoints } from "./endpoint.ts";
import { catalogRoutes } from "./routes.ts";

export const catalogEndpoints = endpoints("catalog", catalogRoutes, {
  catalog: {
    access: "open",
    summary: "The connectors: fields, env names, help links, grades",
    answers: { 200: answer("all connectors", catalogSchema) },
  },
});
