import type * as z from "zod";
import type { PlatformScope } from "../actor.ts";

/** Who may call. A workload reaches only what names one build, and only its own. */
export type Access = {
  readonly admin: boolean;
  /** The scope a platform token needs; absent: platforms may not call it. */
  readonly platform?: PlatformScope;
  readonly workload?: boolean;
};

/** `session`: any visitor of the build's page; `person`: who has proven to be its person, or while nobody is that. */
export type EndpointAccess = Access | "open" | "session" | "person";

/** A method and a path, with `{names}` for what stands in it. */
export type Route = `${"GET" | "POST" | "PUT" | "DELETE"} /${string}`;

/** What an endpoint answers with one status. Without a schema and a media type: nothing. */
export type EndpointAnswer = {
  readonly description: string;
  /** Of its JSON. */
  readonly schema?: z.ZodType;
  /** Of a body that is not JSON; beside a schema: one of both, as asked for. */
  readonly mediaType?: "text/plain" | "application/x-ndjson" | "application/octet-stream";
};

/** One call of the API. The router, the API description and the clients are made of it. */
export type Endpoint = {
  readonly route: Route;
  readonly access: EndpointAccess;
  readonly tag: string;
  /** One sentence without its full stop. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly isBodyOptional?: true;
  /** By status. */
  readonly answers: Readonly<Record<number, EndpointAnswer>>;
};

/** An endpoint, with every literal kept for the types that are made of it. */
export function endpoint<const R extends Route, const E extends Omit<Endpoint, "route">>(
  route: R,
  rest: E,
): E & { readonly route: R } {
  return { ...rest, route };
}

/** An answer in JSON. */
export function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, schema } as const;
}
