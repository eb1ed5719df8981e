import * as z from "zod";
import type { EmulatorApp } from "../kit/emulator-app.ts";
import type { EmulatorState } from "../kit/emulator-state.ts";
import { errorJson, missingDatabase, type TursoAccess, type TursoContext } from "./emulator-access.ts";
import type { EmulatedDatabases } from "./emulator-databases.ts";
import type { EmulatedDatabase, TursoState } from "./emulator-state.ts";

export type TursoRoutes = {
  readonly app: EmulatorApp;
  readonly state: EmulatorState<TursoState>;
  readonly databases: EmulatedDatabases;
  readonly access: TursoAccess;
  readonly now: () => number;
};

const path = "/v1/organizations/:organization/databases";
const sizeSchema = z
  .string()
  .regex(/^\d{1,6}(?:kb|mb|gb)$/i)
  .transform((size) => size.toUpperCase());

const createSchema = z.object({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/),
  group: z.string(),
  size_limit: sizeSchema.optional(),
});

const configurationSchema = z.object({
  size_limit: sizeSchema.optional(),
  block_reads: z.boolean().optional(),
  block_writes: z.boolean().optional(),
  delete_protection: z.boolean().optional(),
});

/** Create, list, get and delete (Turso Platform API, databases). */
export function addDatabaseRoutes({ app, state, databases, access }: TursoRoutes): void {
  app.post(path, access.allow("db:create"), async (context) => {
    const body = createSchema.safeParse(await readBody(context));
    if (!body.success) return errorJson(context, 400, "invalid database name, group or size limit");
    const { name, group, size_limit } = body.data;
    if (!state.value.groups.some((known) => known.name === group) || !access.maySee(context, group)) {
      return errorJson(context, 400, "group not found");
    }
    if (!(await databases.create(name, group, size_limit))) {
      return errorJson(context, 409, `database with name [${name}] already exists`);
    }
    const database = await databases.find(name);
    return database === undefined
      ? missingDatabase(context)
      : context.json({ database: created(name, database) });
  });

  app.get(path, access.allow("read"), async (context) => {
    const wanted = context.req.query("group");
    const found = databases
      .list()
      .filter(([, { group }]) => (wanted ?? group) === group && access.maySee(context, group))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const { cursor = "", limit = "100" } = context.req.query();
    const size = Math.min(Math.max(Number.parseInt(limit, 10) || 100, 1), 100);
    const rest = found.filter(([name]) => name > cursor);
    const page = rest.slice(0, size);
    const bodies = page.map(([name, database]) => described(databases, name, database));
    const next = rest.length > size ? page.at(-1)?.[0] : undefined;
    return context.json({
      databases: await Promise.all(bodies),
      ...(next === undefined ? {} : { pagination: { next } }),
    });
  });

  app.get(`${path}/:name`, access.allow("read"), async (context) => {
    const database = await access.find(context);
    if (database === undefined) return missingDatabase(context);
    return context.json({ database: await described(databases, context.req.param("name"), database) });
  });

  app.delete(`${path}/:name`, access.allow("db:delete"), async (context) => {
    const name = context.req.param("name");
    const database = await access.find(context);
    if (database?.deleteProtection) return errorJson(context, 403, "database is protected from deletion");
    const removed = database !== undefined && (await databases.remove(name));
    return removed ? context.json({ database: name }) : missingDatabase(context);
  });
}

/** Mint and rotate tokens (Turso Platform API, databases/create-token and invalidate-tokens). */
export function addTokenRoutes({ app, databases, access, now }: TursoRoutes): void {
  app.post(`${path}/:name/auth/tokens`, access.allow("db:mint-token"), async (context) => {
    const database = await access.find(context);
    if (database === undefined) return missingDatabase(context);
    const lifeMs = parseExpiration(context.req.query("expiration") ?? "never");
    if (lifeMs === undefined) return errorJson(context, 400, "Invalid expiration format");
    const authorization = context.req.query("authorization") ?? "full-access";
    if (authorization !== "full-access" && authorization !== "read-only") {
      return errorJson(context, 400, "Invalid authorization level");
    }
    const may = authorization === "read-only" ? "read-only" : "read-write";
    const expiresAt = lifeMs === "never" ? undefined : now() + lifeMs;
    return context.json({ jwt: await databases.mint(database, may, expiresAt) });
  });

  app.post(`${path}/:name/auth/rotate`, access.allow("db:rotate-creds"), async (context) => {
    const database = await access.find(context);
    if (database === undefined) return missingDatabase(context);
    await databases.rotate(context.req.param("name"), database);
    return context.body(null, 200);
  });
}

/** Configuration and usage (Turso Platform API, databases/configuration and databases/usage). */
export function addConfigurationRoutes({ app, databases, access, now }: TursoRoutes): void {
  app.get(`${path}/:name/configuration`, access.allow("read"), async (context) => {
    const database = await access.find(context);
    if (database === undefined) return missingDatabase(context);
    return context.json(await configurationOf(databases, database));
  });

  app.patch(`${path}/:name/configuration`, access.allow("db:configure"), async (context) => {
    const database = await access.find(context);
    if (database === undefined) return missingDatabase(context);
    const body = configurationSchema.safeParse(await readBody(context));
    if (!body.success) return errorJson(context, 400, "invalid configuration");
    const { block_reads, block_writes, size_limit, delete_protection } = body.data;
    await databases.configure(database, {
      ...(block_reads === undefined ? {} : { blockReads: block_reads }),
      ...(block_writes === undefined ? {} : { blockWrites: block_writes }),
      ...(size_limit === undefined ? {} : { maxDatabaseSize: size_limit }),
    });
    if (delete_protection !== undefined && delete_protection !== database.deleteProtection) {
      database.deleteProtection = delete_protection;
      await databases.save(context.req.param("name"));
    }
    return context.json(await configurationOf(databases, database));
  });

  app.get(`${path}/:name/usage`, access.allow("read"), async (context) => {
    const database = await access.find(context);
    if (database === undefined) return missingDatabase(context);
    const [from, to] = [context.req.query("from"), context.req.query("to")].map((time) =>
      time === undefined ? undefined : Date.parse(time),
    );
    if (Number.isNaN(from) || Number.isNaN(to)) return errorJson(context, 400, "invalid time");
    const [start, end] = [from ?? startOfMonth(now()), to ?? now()];
    const used = await databases.usage(context.req.param("name"), database, start, end);
    const counts = { rows_read: used.rowsRead, rows_written: used.rowsWritten };
    const usage = { ...counts, storage_bytes: used.storageBytes, bytes_synced: 0 };
    const instances = [{ uuid: database.id, usage }];
    return context.json({ database: { uuid: database.id, instances, total: usage } });
  });
}

function startOfMonth(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

const created = (name: string, database: EmulatedDatabase) => ({
  DbId: database.id,
  Hostname: `127.0.0.1:${database.port}`,
  Name: name,
});

async function described(databases: EmulatedDatabases, name: string, database: EmulatedDatabase) {
  const { blockReads, blockWrites } = await databases.settings(database);
  return {
    ...created(name, database),
    block_reads: blockReads,
    block_writes: blockWrites,
    regions: ["aws-us-east-1"],
    primaryRegion: "aws-us-east-1",
    group: database.group,
    delete_protection: database.deleteProtection,
    parent: null,
  };
}

async function configurationOf(databases: EmulatedDatabases, database: EmulatedDatabase) {
  const { blockReads, blockWrites, maxDatabaseSize } = await databases.settings(database);
  return {
    size_limit: maxDatabaseSize,
    block_reads: blockReads,
    block_writes: blockWrites,
    delete_protection: database.deleteProtection,
    allowed_ips: [],
    allowed_aws_vpc_ids: [],
  };
}

async function readBody(context: TursoContext): Promise<unknown> {
  return context.req.json().catch(() => undefined);
}

const unitsMs: Readonly<Record<string, number>> = {
  w: 7 * 86_400_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};

/** Turso's notation of a life, such as `2w1d30m`, in milliseconds; `undefined` when it is none. */
export function parseExpiration(text: string): number | "never" | undefined {
  if (text === "never") return "never";
  if (!/^(?:\d{1,6}[wdhms])+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d{1,6})([wdhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ""] ?? 0),
    0,
  );
}
