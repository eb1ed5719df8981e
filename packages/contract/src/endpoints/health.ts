import { healthSchema } from "../api/health.ts";
import { warningListSchema } from "../api/warnings.ts";
import { answer, endpoint } from "./endpoint.ts";
import { healthRoutes } from "./routes.ts";

const tag = "health";
const open = { tag, access: "open" } as const;
const operator = { tag, access: { admin: true } } as const;
const alive = { 200: answer("alive", healthSchema) } as const;

export const healthEndpoints = {
  health: endpoint(healthRoutes.health, {
    ...open,
    summary: "Whether the broker answers",
    answers: alive,
  }),
  live: endpoint(healthRoutes.live, { ...open, summary: "Whether the process is alive", answers: alive }),
  ready: endpoint(healthRoutes.ready, {
    ...open,
    summary: "Whether store, keyring and audit can be used",
    answers: {
      200: answer("ready, or degraded: a person has to look at a part", healthSchema),
      503: answer("a part is failing", healthSchema),
    },
  }),
  metrics: endpoint(healthRoutes.metrics, {
    ...operator,
    summary: "Measures in the Prometheus text format",
    answers: { 200: { description: "measures", mediaType: "text/plain" } },
  }),
  warnings: endpoint(healthRoutes.warnings, {
    ...operator,
    summary: "What the operator should fix although everything works",
    answers: { 200: answer("the warnings, none when all is well", warningListSchema) },
  }),
};
