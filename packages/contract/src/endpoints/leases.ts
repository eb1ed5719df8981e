import * as z from "zod";
import {
  leaseIdSchema,
  leaseListQuerySchema,
  leaseListSchema,
  listedLeaseSchema,
  revokedLeasesSchema,
  revokeLeaseQuerySchema,
  revokeLeasesBodySchema,
} from "../api/leases.ts";
import { adminOnly, answer, buildReaders, buildWriters, endpoints } from "./endpoint.ts";
import { leaseRoutes } from "./routes.ts";

const params = z.object({ id: leaseIdSchema });

export const leaseEndpoints = endpoints("leases", leaseRoutes, {
  list: {
    access: buildReaders,
    summary: "List what is and was lent, newest first, never with values",
    query: leaseListQuerySchema,
    answers: { 200: answer("a page", leaseListSchema) },
  },
  show: {
    access: buildReaders,
    summary: "Show a lease, never its values",
    params,
    answers: { 200: answer("the lease", listedLeaseSchema) },
  },
  revoke: {
    access: buildWriters,
    summary: "Revoke a lease; its build continues without it",
    description:
      "Its values are gone when this answers. 202 means that the provider could not be asked yet: the broker keeps trying until the lease is released. From then on the env of the build is refused, and the error names the connector. Refused with `person_decides` while its user, who has switched, can go back to it or lets the preview use it.",
    params,
    query: revokeLeaseQuerySchema,
    answers: {
      200: answer("released", listedLeaseSchema),
      202: answer("releasing, or ending it requires manual action", listedLeaseSchema),
    },
  },
  revokeMany: {
    access: adminOnly,
    summary: "Revoke every lease of a connector, or of the org",
    description:
      "All values are gone when this answers; the providers are asked in the background, as `GET /v1/leases?state=releasing` and the metrics show. The connector can still be issued again: to prevent that, remove its org key first.",
    body: revokeLeasesBodySchema,
    example: { connector: "stripe" },
    answers: { 202: answer("how many leases began to end", revokedLeasesSchema) },
  },
});
