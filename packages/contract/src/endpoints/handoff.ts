import * as z from "zod";
import { buildIdSchema } from "../api/common.ts";
import {
  createHandoffBodySchema,
  createSessionBodySchema,
  handoffSchema,
  openedSessionSchema,
} from "../api/handoff.ts";
import { answer, buildWriters, endpoints } from "./endpoint.ts";
import { handoffRoutes } from "./routes.ts";

export const handoffEndpoints = endpoints({ tag: "settings", group: "handoff" }, handoffRoutes, {
  handoff: {
    access: buildWriters,
    work: "ask",
    summary: "Make a link to the settings page that opens once",
    params: z.object({ id: buildIdSchema }),
    body: createHandoffBodySchema,
    example: { ttlSeconds: 86_400, userRef: "user_2aB3cD" },
    isBodyOptional: true,
    answers: { 201: answer("shown once", handoffSchema) },
  },
  open: {
    access: "open",
    summary:
      "Open the settings page of a build: with a link's code, with a recovery code, or as a person known here",
    body: createSessionBodySchema,
    example: { buildId: "bld_3k9v0a5m2c7d8e4f6g1h" },
    answers: {
      201: answer(
        "opened; the session itself is in a cookie that no script can read, named by its build",
        openedSessionSchema,
      ),
    },
  },
  leave: {
    access: "session",
    summary: "End the session",
    query: z.strictObject({
      forget: z
        .enum(["true", "false"])
        .default("false")
        .meta({ description: "`true`: this browser no longer proves anything for this build" }),
    }),
    answers: { 204: { description: "ended" } },
  },
});
