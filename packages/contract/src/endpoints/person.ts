import { allowTokensBodySchema, knownBuildsSchema, recoveryCodeSchema } from "../api/persons.ts";
import { settingsSchema } from "../api/settings.ts";
import { answer, endpoints } from "./endpoint.ts";
import { personRoutes } from "./routes.ts";

export const personEndpoints = endpoints({ tag: "settings", group: "person" }, personRoutes, {
  known: {
    access: "open",
    summary: "The builds that this browser can open without a link",
    answers: { 200: answer("by its cookie", knownBuildsSchema) },
  },
  recovery: {
    access: "person",
    work: "renew",
    summary:
      "Make a new recovery code; this ends the old one and every other visit and browser of the person",
    answers: { 201: answer("shown once", recoveryCodeSchema) },
  },
  allow: {
    access: "person",
    summary: "What the platform's tokens may do with the user's own values",
    body: allowTokensBodySchema,
    example: { tokensMay: ["transfer"], expectedVersion: 4 },
    answers: { 200: answer("the settings", settingsSchema) },
  },
  ask: {
    access: "session",
    work: "renew",
    summary: "Ask to replace the person who saved keys here, if you lost every proof of being that person",
    answers: { 200: answer("the settings", settingsSchema) },
  },
  refuse: {
    access: "session",
    summary: "Refuse a request to start over, as the person; or withdraw it, if you made it",
    answers: { 200: answer("the settings", settingsSchema) },
  },
});
