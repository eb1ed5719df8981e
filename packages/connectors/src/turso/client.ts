import { type ConnectorContext, ProviderError, type SecretValues, trimEndOf } from "@keyloan/contract";
import * as z from "zod";
import { requireField } from "../kit/define-connector.ts";
import { parseJson, requestJson, send, statusError } from "../kit/http.ts";
import { listOf } from "../kit/list-schema.ts";
import { createTursoSdk, type SdkTransport, type TursoSdk } from "./sdk.ts";

const provider = "turso";
const publicApi = "https://api.turso.tech";

const databaseSchema = z.object({
  name: z.string(),
  hostname: z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/i),
});
const foundDatabaseSchema = databaseSchema.extend({ group: z.string() });
const tokenSchema = z.object({ jwt: z.string().min(20).max(8192) });
const deletedSchema = z.object({ database: z.string() });
const groupSchema = z.object({ name: z.string() });
const configurationSchema = z.object({ block_writes: z.boolean() });
const countsSchema = z.object({ rows_read: z.int().min(0), rows_written: z.int().min(0) });
const usageSchema = z.object({
  // The documented name, and the one that Turso's own clients read.
  database: z.union([z.object({ total: countsSchema }), z.object({ usage: countsSchema })]),
});
const pageSchema = z.object({
  databases: listOf(z.object({ Name: z.string(), group: z.string() })),
  pagination: z.object({ next: z.string().nullish() }).nullish(),
});

export type TursoPage = {
  readonly databases: readonly { readonly name: string; readonly group: string }[];
  readonly next?: string;
};

export type TursoDatabase = { readonly name: string; readonly hostname: string };

/** The Platform API calls of one organization and group (Turso Platform API reference). */
export type TursoApi = {
  /** @throws ProviderError `conflict` when the name is taken */
  readonly createDatabase: (name: string) => Promise<TursoDatabase>;
  readonly getDatabase: (name: string) => Promise<TursoDatabase & { readonly group: string }>;
  readonly mintToken: (name: string, expiration: string) => Promise<string>;
  /** Ends every token of the database; there is no way to end one. */
  readonly rotateTokens: (name: string) => Promise<void>;
  readonly blockDatabase: (name: string) => Promise<void>;
  readonly blockWrites: (name: string, blocked: boolean) => Promise<void>;
  readonly areWritesBlocked: (name: string) => Promise<boolean>;
  /** Rows read and written between two moments, in milliseconds since the epoch. */
  readonly countRows: (name: string, from: number, to: number) => Promise<number>;
  /** One page of the group's databases, of every group where Turso gives more, and where the next one starts. */
  readonly listDatabases: (cursor: string | undefined) => Promise<TursoPage>;
  readonly deleteDatabase: (name: string) => Promise<void>;
  readonly getGroup: () => Promise<void>;
  readonly listGroups: () => Promise<void>;
  /** When the platform token ends, in seconds since the epoch; -1 is never. */
  readonly tokenExpiry: () => Promise<number>;
};

export function openTursoApi(context: ConnectorContext, fields: SecretValues): TursoApi {
  const organization = requireField(fields, "organization");
  const group = requireField(fields, "group");
  const token = requireField(fields, "token");
  const transport = createTransport(context, token);
  let sdk: Promise<TursoSdk> | undefined;
  const call = async <T>(schema: z.ZodType<T>, act: (client: TursoSdk) => Promise<unknown>): Promise<T> => {
    sdk ??= createTursoSdk({ organization, token }, transport);
    return checked(schema, act(await sdk));
  };
  const named = async <T extends { readonly name: string }>(name: string, found: Promise<T>): Promise<T> => {
    if ((await found).name !== name) throw unexpectedShape();
    return found;
  };
  const pathOf = (name: string, action: string) =>
    `organizations/${organization}/databases/${name}/${action}`;
  const configure = async (name: string, changes: Readonly<Record<string, boolean>>) => {
    await transport(pathOf(name, "configuration"), { method: "PATCH", body: JSON.stringify(changes) });
  };
  return {
    createDatabase: (name) =>
      named(
        name,
        call(databaseSchema, ({ databases }) => databases.create(name, { group })),
      ),
    getDatabase: (name) =>
      named(
        name,
        call(foundDatabaseSchema, ({ databases }) => databases.get(name)),
      ),
    mintToken: async (name, expiration) => {
      const options = { expiration, authorization: "full-access" } as const;
      return (await call(tokenSchema, ({ databases }) => databases.createToken(name, options))).jwt;
    },
    rotateTokens: async (name) => {
      await call(z.unknown(), ({ databases }) => databases.rotateTokens(name));
    },
    blockDatabase: (name) => configure(name, { block_reads: true, block_writes: true }),
    blockWrites: (name, blocked) => configure(name, { block_writes: blocked }),
    areWritesBlocked: async (name) => {
      const found = await checked(configurationSchema, transport(pathOf(name, "configuration"), {}));
      return found.block_writes;
    },
    countRows: async (name, from, to) => {
      const query = new URLSearchParams({ from: isoTime(from), to: isoTime(to) });
      const { database } = await checked(usageSchema, transport(pathOf(name, `usage?${query}`), {}));
      const counts = "total" in database ? database.total : database.usage;
      return counts.rows_read + counts.rows_written;
    },
    listDatabases: async (cursor) => {
      const query = new URLSearchParams({ group, ...(cursor === undefined ? {} : { cursor }) });
      const path = `organizations/${organization}/databases?${query}`;
      const { databases, pagination } = await checked(pageSchema, transport(path, {}));
      const next = pagination?.next ?? "";
      return {
        databases: databases.map((one) => ({ name: one.Name, group: one.group })),
        ...(next === "" ? {} : { next }),
      };
    },
    deleteDatabase: async (name) => {
      const deleted = await call(deletedSchema, ({ databases }) => databases.delete(name));
      if (deleted.database !== name) throw unexpectedShape();
    },
    getGroup: async () => {
      await named(
        group,
        call(groupSchema, ({ groups }) => groups.get(group)),
      );
    },
    listGroups: async () => {
      await call(listOf(groupSchema), ({ groups }) => groups.list());
    },
    tokenExpiry: async () => {
      const request = { provider, context, method: "GET", url: urlOf(context, "auth/validate") } as const;
      const headers = { authorization: `Bearer ${token}` };
      return (await requestJson({ ...request, headers }, z.object({ exp: z.int().min(-1) }))).exp;
    },
  };
}

/** `libsql:` as the public service is reached, or plain `http:` where the API itself is plain. */
export function databaseUrlScheme(context: Pick<ConnectorContext, "baseUrl">): "libsql" | "http" {
  return new URL(context.baseUrl ?? publicApi).protocol === "http:" ? "http" : "libsql";
}

function createTransport(context: ConnectorContext, token: string): SdkTransport {
  return async (path, options) => {
    const response = await send({
      provider,
      context,
      method: z.enum(["GET", "POST", "PATCH", "DELETE"]).parse(options.method ?? "GET"),
      url: urlOf(context, path),
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

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

function urlOf(context: Pick<ConnectorContext, "baseUrl">, path: string): string {
  return `${trimEndOf(context.baseUrl ?? publicApi, "/")}/v1/${path}`;
}

/** The SDK reads answers unchecked: whatever it makes of a strange one, a value or a TypeError, ends here. */
async function checked<T>(schema: z.ZodType<T>, answer: Promise<unknown>): Promise<T> {
  const value = await answer.catch((error: unknown) => {
    throw error instanceof ProviderError ? error : unexpectedShape();
  });
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw unexpectedShape();
  return parsed.data;
}

function unexpectedShape(): ProviderError {
  return new ProviderError(provider, "invalid_response", "the answer has an unexpected shape");
}
