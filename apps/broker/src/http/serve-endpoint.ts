import { createRoute } from "@hono/zod-openapi";
import { type Endpoint, type EndpointAnswer, errorEnvelopeSchema, errorStatuses } from "@keyloan/contract";
import { patienceSeconds } from "@keyloan/contract/calls";
import * as z from "zod";
import { auditRequest } from "./audit-request.ts";
import { authenticate } from "./auth.ts";
import type { CallerLimits } from "./caller-limits.ts";
import type { EndpointRoute } from "./endpoint-route.ts";
import { limitBuild, limitWork } from "./limit-callers.ts";
import { authenticateSession } from "./session.ts";

/**
 * The route of an endpoint. Every word of it stands in the contract: its access rule is enforced here and written
 * into the OpenAPI document, from which the authorization tests are made. What it says of work is limited here.
 */
export function serveEndpoint<E extends Endpoint>(limits: CallerLimits, endpoint: E): EndpointRoute<E> {
  const { route, operationId, access, tag, summary, description, answers } = endpoint;
  const [method = "", path = ""] = route.split(" ");
  const patience = patienceSeconds(route);
  const made = createRoute({
    method: method.toLowerCase() as "get",
    path,
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    request: describeRequest(endpoint),
    responses: { ...describeErrors(endpoint), ...describeAnswers(answers) },
    security: access === "open" ? [] : [typeof access === "string" ? { session: [] } : { bearer: [] }],
    middleware: access === "open" ? [] : guard(limits, endpoint, access, path),
    "x-keyloan-access": access,
    ...(patience === 0 ? {} : { "x-keyloan-patience-seconds": patience }),
  });
  // Holds because all of it was taken from the endpoint that the type is made of.
  return made as unknown as EndpointRoute<E>;
}

function guard(
  { requests, work }: CallerLimits,
  { work: kind }: Endpoint,
  access: Exclude<Endpoint["access"], "open">,
  path: string,
) {
  const authenticated = typeof access === "string" ? authenticateSession(access) : authenticate(access);
  const limited = kind === undefined ? [] : [limitWork(work[kind])];
  return [auditRequest(path), authenticated, limitBuild(requests), ...limited];
}

function describeRequest({ params, query, headers, body, isBodyOptional, example }: Endpoint) {
  return {
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { query }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined
      ? {}
      : {
          body: {
            required: isBodyOptional !== true,
            content: { "application/json": { schema: body, ...(example === undefined ? {} : { example }) } },
          },
        }),
  };
}

function describeErrors({ access, body }: Endpoint) {
  const statuses = [
    ...(access === "open" && body === undefined ? [] : [401, 403, 404, 409, 503]),
    ...(body === undefined ? [] : [400, 413, 415, 502]),
    ...[422, 429, 500],
  ];
  const content = { "application/json": { schema: errorEnvelopeSchema } };
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = Object.entries(errorStatuses).flatMap(([code, value]) =>
        value === status ? [code] : [],
      );
      return [status, { description: codes.join(", "), content }];
    }),
  );
}

function describeAnswers(answers: Endpoint["answers"]) {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, describeAnswer(answer)]),
  );
}

function describeAnswer({ description, schema, mediaType }: EndpointAnswer) {
  if (schema === undefined && mediaType === undefined) return { description };
  const json = schema === undefined ? {} : { "application/json": { schema } };
  const other = mediaType === undefined ? {} : { [mediaType]: { schema: contentOf(mediaType) } };
  return { description, content: { ...json, ...other } };
}

function contentOf(mediaType: string) {
  return mediaType === "application/octet-stream" ? z.string().meta({ format: "binary" }) : z.string();
}
