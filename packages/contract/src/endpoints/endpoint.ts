import type * as z from "zod";
import type { PlatformScope } from "../actor.ts";

/** Who may call. A workload reaches only what names one build, and only its own. */
export type Access = {
  readonly admin: boolean;
  /** The scope a platform token needs; absent: platforms may not call it. */
  readonly platform?: PlatformScope;
  readonly workload?: boolean;
};

export const adminOnly = { admin: true } as const;
/** The admin, and platforms whose token has the scope. */
export const buildReaders = { admin: true, platform: "builds:read" } as const;
export const buildWriters = { admin: true, platform: "builds:write" } as const;

/** `session`: any visitor of the build's page; `person`: who has proven to be its person, or while nobody is that. */
export type EndpointAccess = Access | "open" | "session" | "person";

/** A method and a path, with `{names}` for what stands in it. */
export type Route = `${"GET" | "POST" | "PUT" | "DELETE"} /${string}`;

/**
 * Work that reaches beyond the broker, each kind limited for who asks for it: `ask` asks a provider or an address that
 * a user named, `move` looks into both ends of a transfer, `file` reads a whole database, `renew` has a provider mint,
 * or ends what proves who somebody is.
 */
export const workKinds = ["ask", "move", "file", "renew"] as const;
export type WorkKind = (typeof workKinds)[number];

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
  /** What generated clients call it. */
  readonly operationId: string;
  readonly access: EndpointAccess;
  readonly work?: WorkKind;
  readonly tag: string;
  /** One sentence without its full stop. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly isBodyOptional?: true;
  /** A body as somebody may send it. */
  readonly example?: object;
  /** By status. */
  readonly answers: Readonly<Record<number, EndpointAnswer>>;
};

type Call = Omit<Endpoint, "route" | "operationId" | "tag"> & { readonly tag?: string };

/**
 * The endpoints of a group: one for each of its routes, with every literal kept for the types that are made of it.
 * @param group their tag, where they name no other, and what their operation ids begin with
 */
export function endpoints<
  const Routes extends Readonly<Record<string, Route>>,
  const Calls extends { readonly [Name in keyof Routes]: Call },
>(group: string | { readonly tag: string; readonly group: string }, routes: Routes, calls: Calls) {
  const { tag, group: prefix } = typeof group === "string" ? { tag: group, group } : group;
  const made = Object.entries(routes).map(([name, route]) => {
    const operationId = `${prefix}${name[0]?.toUpperCase()}${name.slice(1)}`;
    return [name, { tag, operationId, ...calls[name], route }];
  });
  // Holds because it has a member for each route, made of the call of that name.
  return Object.fromEntries(made) as {
    readonly [Name in keyof Routes]: Calls[Name] & {
      readonly tag: string;
      readonly operationId: string;
      readonly route: Routes[Name];
    };
  };
}

/** An answer in JSON. */
export function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, schema } as const;
}
