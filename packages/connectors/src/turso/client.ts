import { type ConnectorContext, ProviderError, type SecretValues, trimEndOf } from "@keyloan/contract";
import * as z from "zod";
import { callsThrough } from "../kit/calls/define-calls.ts";
import { openCalls } from "../kit/calls/open-calls.ts";
import { requireField } from "../kit/define-connector.ts";
import { parseJson, send, statusError } from "../kit/http.ts";
import { listOf } from "../kit/list-schema.ts";
import { createTursoSdk, type SdkTransport, type TursoSdk } from "./sdk.ts";

const api = { provider: "turso", baseUrl: "https://api.turso.tech" };

const hostname = z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/i);
const database = z.object({ name: z.string(), hostname });
const named = z.object({ name: z.string() });
const counts = z.object({ rows_read: z.int().min(0), rows_written: z.int().min(0) });
const sizeLimit = z
  .string()
  .regex(/^\d{1,6}(?:kb|mb|gb)$/i)
  .transform((size) => size.toUpperCase())
  .optional();

const groups = "/v1/organizations/{organization}/groups";
const databases = "/v1/organizations/{organization}/databases";
const one = `${databases}/{name}` as const;
const { get, post, patch, del } = callsThrough<TursoSdk>();
/** The calls of the Platform API (Turso Platform API reference); `@tursodatabase/api` carries those that it has. */
export const tursoCalls = {
  checkToken: get("/v1/auth/validate", {
    doc: "Tokens, validate",
    // When the platform token ends, in seconds since the epoch; -1 is never.
    answer: z.object({ exp: z.int().min(-1) }),
  }),
  listGroups: get(groups, { doc: "Groups, list", answer: listOf(named) }, (sdk) => sdk.groups.list()),
  getGroup: get(`${groups}/{group}`, { doc: "Groups, retrieve", answer: named }, (sdk, { params }) =>
    sdk.groups.get(params.group),
  ),
  createDatabase: post(
    databases,
    {
      doc: "Databases, create",
      body: z.object({
        name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/),
        group: z.string(),
        size_limit: sizeLimit,
      }),
      answer: database,
    },
    (sdk, { body: { name, group } }) => sdk.databases.create(name, { group }),
  ),
  listDatabases: get(databases, {
    doc: "Databases, list",
    query: z.object({
      group: z.string().optional(),
      cursor: z.string().optional(),
      limit: z.string().optional(),
    }),
    answer: z.object({
      databases: listOf(z.object({ Name: z.string(), group: z.string() })),
      pagination: z.object({ next: z.string().nullish() }).nullish(),
    }),
  }),
  getDatabase: get(
    one,
    { doc: "Databases, retrieve", answer: database.extend({ group: z.string() }) },
    (sdk, { params }) => sdk.databases.get(params.name),
  ),
  deleteDatabase: del(
    one,
    { doc: "Databases, delete", answer: z.object({ database: z.string() }) },
    (sdk, { params }) => sdk.databases.delete(params.name),
  ),
  mintToken: post(
    `${one}/auth/tokens`,
    {
      doc: "Databases, create token",
      query: z.object({
        expiration: z.string().default("never"),
        authorization: z.enum(["full-access", "read-only"]).default("full-access"),
      }),
      answer: z.object({ jwt: z.string().min(20).max(8192) }),
    },
    (sdk, { params, query: { expiration = "never", authorization = "full-access" } }) =>
      sdk.databases.createToken(params.name, { expiration, authorization }),
  ),
  // Ends every token of the database; there is no way to end one.
  rotateTokens: post(
    `${one}/auth/rotate`,
    { doc: "Databases, invalidate tokens", answer: z.unknown() },
    (sdk, { params }) => sdk.databases.rotateTokens(params.name),
  ),
  getConfiguration: get(`${one}/configuration`, {
    doc: "Databases, configuration",
    answer: z.object({ block_writes: z.boolean() }),
  }),
  configure: patch(`${one}/configuration`, {
    doc: "Databases, update configuration",
    body: z.object({
      size_limit: sizeLimit,
      block_reads: z.boolean().optional(),
      block_writes: z.boolean().optional(),
      delete_protection: z.boolean().optional(),
    }),
    answer: z.unknown(),
  }),
  countUsage: get(`${one}/usage`, {
    doc: "Databases, usage",
    query: z.object({ from: z.iso.datetime().optional(), to: z.iso.datetime().optional() }),
    answer: z.object({
      // The documented name, and the one that Turso's own clients read.
      database: z.union([z.object({ total: counts }), z.object({ usage: counts })]),
    }),
  }),
};

export type TursoApi = ReturnType<typeof openTursoApi>;

/** The Platform API of one organization and group. */
export function openTursoApi(context: ConnectorContext, fields: SecretValues) {
  const organization = requireField(fields, "organization");
  const group = requireField(fields, "group");
  const token = requireField(fields, "token");
  const calls = openCalls(api, tursoCalls, context, token, () =>
    createTursoSdk({ organization, token }, createTransport(context, token)),
  );
  const params = (name: string) => ({ params: { organization, name } });
  const mustBe = <T extends { readonly name: string }>(name: string, found: T): T => {
    if (found.name !== name) throw unexpectedShape();
    return found;
  };
  return {
    /** @throws ProviderError `conflict` when the name is taken */
    createDatabase: async (name: string) =>
      mustBe(name, await calls.createDatabase({ params: { organization }, body: { name, group } })),
    getDatabase: async (name: string) => mustBe(name, await calls.getDatabase(params(name))),
    mintToken: async (name: string, expiration: string) =>
      (await calls.mintToken({ ...params(name), query: { expiration, authorization: "full-access" } })).jwt,
    rotateTokens: async (name: string) => void (await calls.rotateTokens(params(name))),
    blockDatabase: async (name: string) =>
      void (await calls.configure({ ...params(name), body: { block_reads: true, block_writes: true } })),
    blockWrites: async (name: string, blocked: boolean) =>
      void (await calls.configure({ ...params(name), body: { block_writes: blocked } })),
    areWritesBlocked: async (name: string) => (await calls.getConfiguration(params(name))).block_writes,
    /** Rows read and written between two moments, in milliseconds since the epoch. */
    countRows: async (name: string, from: number, to: number) => {
      const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      const { database: used } = await calls.countUsage({ ...params(name), query });
      const { rows_read, rows_written } = "total" in used ? used.total : used.usage;
      return rows_read + rows_written;
    },
    /** One page of the group's databases, of every group where Turso gives more, and where the next one starts. */
    listDatabases: async (cursor: string | undefined) => {
      const page = await calls.listDatabases({ params: { organization }, query: { group, cursor } });
      const next = page.pagination?.next ?? "";
      return {
        items: page.databases.map((each) => ({ name: each.Name, group: each.group })),
        ...(next === "" ? {} : { next }),
      };
    },
    deleteDatabase: async (name: string) => {
      if ((await calls.deleteDatabase(params(name))).database !== name) throw unexpectedShape();
    },
    getGroup: async () => void mustBe(group, await calls.getGroup({ params: { organization, group } })),
    listGroups: async () => void (await calls.listGroups({ params: { organization } })),
    tokenExpiry: async () => (await calls.checkToken()).exp,
  };
}

/** `libsql:` as the public service is reached, or plain `http:` where the API itself is plain. */
export function databaseUrlScheme(context: Pick<ConnectorContext, "baseUrl">): "libsql" | "http" {
  return new URL(context.baseUrl ?? api.baseUrl).protocol === "http:" ? "http" : "libsql";
}

function createTransport(context: ConnectorContext, token: string): SdkTransport {
  const { provider } = api;
  return async (path, options) => {
    const response = await send({
      provider,
      context,
      method: z.enum(["GET", "POST", "PATCH", "DELETE"]).parse(options.method ?? "GET"),
      url: `${trimEndOf(context.baseUrl ?? api.baseUrl, "/")}/v1/${path}`,
      headers: {
        authorization: `Bearer ${token}`,
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(typeof options.body === "string" ? { body: options.body } : {}),
    });
    if (response.status < 200 || response.status > 299) throw statusError(provider, response);
    return parseJson(response.text);
  };
}

function unexpectedShape(): ProviderError {
  return new ProviderError(api.provider, "invalid_response", "the answer has an unexpected shape");
}
