import { healthSchema } from "../api/health.ts";
import { warningListSchema } from "../api/warnings.ts";
import { adminOnly, answer, endpoints } from "./endpoint.ts";
import { healthRoutes } from "./routes.ts";

const alive = { 200: answer("alive", healthSchema) } as const;

export const healthEndpoints = endpoints("health", healthRoutes, {
  health: {
    access: "open",
    summary: "Whether the broker answers",
    answers: alive,
  },
  live: { access: "open", summary: "Whether the process is alive", answers: alive },
  ready: {
    access: "open",
    summary: "Whether store, keyring and audit can be used",
    answers: {
      200: answer("ready, or degraded: a part requires manual action", healthSchema),
      503: answer("a part is failing", healthSchema),
    },
  },
  metrics: {
    access: adminOnly,
    summary: "Metrics in the Prometheus text format",
    answers: { 200: { description: "measures", mediaType: "text/plain" } },
  },
  warnings: {
    access: adminOnly,
    summary: "What the operator should fix although everything works",
    answers: { 200: answer("the warnings, none when all is well", warningListSchema) },
  },
});
