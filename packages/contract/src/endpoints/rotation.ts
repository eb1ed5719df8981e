import * as z from "zod";
import { rotateLeaseBodySchema, rotationSchema } from "../api/rotation.ts";
import { answer, buildReaders, buildWriters, endpoints } from "./endpoint.ts";
import { rotationRoutes } from "./routes.ts";

const params = z.object({ id: z.string().max(64) });

export const rotationEndpoints = endpoints({ tag: "leases", group: "rotation" }, rotationRoutes, {
  start: {
    access: buildWriters,
    work: "ask",
    summary: "Replace the credentials of one lease, and prove the old ones dead",
    description:
      "Values fetched before the cut end with it: apps must fetch the env again. With `overlapSeconds` the env gives a second credential at once, and the cut comes that many seconds later; it ends both, because providers cannot end just one.",
    params,
    body: rotateLeaseBodySchema,
    example: { overlapSeconds: 300, reason: "leak" },
    answers: { 202: answer("begun; ask again for its progress", rotationSchema) },
  },
  show: {
    access: buildReaders,
    summary: "The progress of the newest replacement of a lease's credentials",
    params,
    answers: { 200: answer("its state", rotationSchema) },
  },
});
