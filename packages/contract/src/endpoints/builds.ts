import * as z from "zod";
import {
  buildListQuerySchema,
  buildListSchema,
  buildSchema,
  createBuildBodySchema,
  createBuildQuerySchema,
  envJsonSchema,
  envQuerySchema,
  renewBodySchema,
} from "../api/builds.ts";
import { buildIdSchema } from "../api/common.ts";
import { createBuildTokenBodySchema, issuedTokenSchema } from "../api/tokens.ts";
import { limits } from "../limits.ts";
import { answer, buildReaders, buildWriters, endpoints } from "./endpoint.ts";
import { buildRoutes } from "./routes.ts";

const params = z.object({ id: buildIdSchema });

export const buildEndpoints = endpoints("builds", buildRoutes, {
  create: {
    access: buildWriters,
    summary: "Create a build and lend it a set of working keys",
    description:
      "Answers 201 when every key is ready, or 202 with the state so far after `wait` seconds or when a connector failed. The same Idempotency-Key and body give the same build.",
    query: createBuildQuerySchema,
    headers: z.object({
      "idempotency-key": z
        .string()
        .regex(/^[\x21-\x7e]+$/, "visible ASCII characters only")
        .max(limits.idempotencyKeyLengthMax)
        .optional(),
    }),
    body: createBuildBodySchema,
    example: { name: "todo-app", ttlSeconds: 3_600 },
    answers: {
      201: answer("ready", buildSchema),
      202: answer("not ready yet, or not everything could be issued", buildSchema),
    },
  },
  list: {
    access: buildReaders,
    summary: "List builds, newest first",
    query: buildListQuerySchema,
    answers: { 200: answer("a page of builds", buildListSchema) },
  },
  show: {
    access: buildReaders,
    summary: "Show a build with its leases, never their values",
    params,
    answers: { 200: answer("the build", buildSchema) },
  },
  close: {
    access: buildWriters,
    summary: "Close a build: revoke everything and shred its data key",
    description:
      "Its tokens and values are dead when this answers. 202 means that a provider could not be asked yet: the broker keeps trying until every lease is released.",
    params,
    query: createBuildQuerySchema,
    answers: { 200: answer("closed", buildSchema), 202: answer("closing", buildSchema) },
  },
  token: {
    access: { admin: true, platform: "tokens:write" },
    summary: "Make a short-lived token that reads this build's env and nothing else",
    params,
    body: createBuildTokenBodySchema,
    example: { ttlSeconds: 900, singleUse: true },
    isBodyOptional: true,
    answers: { 201: answer("shown once", issuedTokenSchema) },
  },
  renew: {
    access: { admin: true, platform: "builds:write", workload: true },
    work: "renew",
    summary: "Move the expiry and issue again what expires with it",
    description:
      "The expiry stays when it would move by less than a tenth of `ttlSeconds`, unless it reaches the renewable end: the answer is the build as it is, and providers are asked only for credentials that live shorter than the build. A build can be renewed five times at once, then once every ten seconds; the tokens of a build count together.",
    params,
    body: renewBodySchema,
    example: { ttlSeconds: 3_600 },
    isBodyOptional: true,
    answers: { 200: answer("renewed", buildSchema) },
  },
  readEnv: {
    access: { admin: true, workload: true },
    summary: "Read the env of a build",
    description: "Audited by names; 409 with the list when something is not ready. Never cached.",
    params,
    query: envQuerySchema,
    answers: {
      200: { description: "the env in the format asked for", schema: envJsonSchema, mediaType: "text/plain" },
    },
  },
});
