import { randomUUID } from "node:crypto";
import * as z from "zod";
import { type Call, callsThrough } from "../kit/calls/define-calls.ts";
import { randomText } from "../kit/emulator-state.ts";
import { Refused, type StandInApi, takeOut } from "../kit/stand-in/stand-in.ts";
import { tursoCalls } from "./client.ts";
import type { EmulatedDatabase, EmulatedDatabases } from "./emulator-databases.ts";
import { type Asked, maySee, type TursoState, tokenOf } from "./emulator-organization.ts";

const { post, del } = callsThrough();
/** What the owner of an organization does, and Keyloan does not. */
const ownersCalls = {
  createPlatformToken: post("/v1/auth/api-tokens/{name}", {
    doc: "Tokens, create",
    body: z.object({ organization: z.string(), group: z.string(), scopes: z.array(z.string()).min(1) }),
    answer: z.unknown(),
  }),
  deletePlatformToken: del("/v1/organizations/{organization}/api-tokens/{id}", {
    doc: "Tokens, revoke",
    answer: z.unknown(),
  }),
};
const calls = { ...tursoCalls, ...ownersCalls };

const scopes = new Map<Call, string>([
  [calls.createDatabase, "db:create"],
  [calls.listDatabases, "read"],
  [calls.getDatabase, "read"],
  [calls.deleteDatabase, "db:delete"],
  [calls.mintToken, "db:mint-token"],
  [calls.rotateTokens, "db:rotate-creds"],
  [calls.getConfiguration, "read"],
  [calls.configure, "db:configure"],
  [calls.countUsage, "read"],
]);

const refused = (status: number, error: string) => new Refused(status, { error });

/** The Platform API of the org's organization, whose databases are real. */
export function tursoApi(databases: EmulatedDatabases): StandInApi<typeof calls, TursoState> {
  /** The database of the path; one of a group that the token is not for is not there. */
  const withDatabase = async (
    asked: Asked,
    act: (found: EmulatedDatabase, name: string) => Promise<unknown>,
  ) => {
    const { name = "" } = asked.params;
    const found = await databases.find(name);
    return found !== undefined && maySee(asked, found.group)
      ? act(found, name)
      : refused(404, `could not find database with name [${name}]: record not found`);
  };
  return {
    calls,
    keysOf: ({ tokens }) => tokens.map(({ token }) => token),
    refuse: (asked, call) => {
      if ((asked.params.organization ?? asked.account.organization) !== asked.account.organization)
        return refused(404, "could not find organization: record not found");
      const { scopes: given } = tokenOf(asked) ?? { scopes: [] as string[] };
      const needed = scopes.get(call);
      const isOwners = Object.values<Call>(ownersCalls).includes(call);
      const isDenied = given !== null && (isOwners || (needed !== undefined && !given.includes(needed)));
      return isDenied ? new Refused(403) : undefined;
    },
    errorBody: (status, { error = words[status] ?? "internal server error" }) => ({ error }),
    answers: {
      checkToken: () => ({ exp: -1 }),
      createPlatformToken: ({ account: { organization, groups, tokens }, params: { name = "" }, body }) => {
        const { group } = body;
        if (body.organization !== organization || groups.every((known) => known.name !== group))
          return refused(400, "group not found");
        const made = { id: randomUUID(), name, token: randomText(64), group, scopes: body.scopes };
        tokens.push(made);
        return { name, id: made.id, token: made.token };
      },
      deletePlatformToken: ({ account: { tokens }, params: { id } }) =>
        takeOut(tokens, id) === undefined ? refused(404, "token not found") : { token: id },
      listGroups: (asked) => {
        const seen = asked.account.groups.filter(({ name }) => maySee(asked, name));
        return { groups: seen.map(groupBody) };
      },
      getGroup: (asked) => {
        const found = asked.account.groups.find(({ name }) => name === asked.params.group);
        if (found === undefined) return refused(404, "group not found");
        return maySee(asked, found.name) ? { group: groupBody(found) } : new Refused(403);
      },
      createDatabase: async (asked) => {
        const { name, group, size_limit } = asked.body;
        if (!maySee(asked, group)) return refused(400, "group not found");
        if (!(await databases.create(name, group, size_limit)))
          return refused(409, `database with name [${name}] already exists`);
        const params = { ...asked.params, name };
        return withDatabase({ ...asked, params }, async (made) => ({ database: created(name, made) }));
      },
      listDatabases: async (asked) => {
        const { group: wanted, cursor = "", limit = "100" } = asked.query;
        const found = databases
          .list()
          .filter(([name, { group }]) => name > cursor && (wanted ?? group) === group && maySee(asked, group))
          .toSorted(([a], [b]) => (a < b ? -1 : 1));
        const size = Math.min(Math.max(Number.parseInt(limit, 10) || 100, 1), 100);
        const page = found.slice(0, size);
        const bodies = await Promise.all(page.map(([name, each]) => described(databases, name, each)));
        const next = found.length > size ? page.at(-1)?.[0] : undefined;
        return { databases: bodies, ...(next === undefined ? {} : { pagination: { next } }) };
      },
      getDatabase: (asked) =>
        withDatabase(asked, async (found, name) => ({ database: await described(databases, name, found) })),
      deleteDatabase: (asked) =>
        withDatabase(asked, async ({ deleteProtection }, name) => {
          if (deleteProtection) return refused(403, "database is protected from deletion");
          await databases.remove(name);
          return { database: name };
        }),
      mintToken: (asked) =>
        withDatabase(asked, async (found) => {
          const lifeMs = parseExpiration(asked.query.expiration);
          if (lifeMs === undefined) return refused(400, "Invalid expiration format");
          const access = asked.query.authorization === "read-only" ? "read-only" : "read-write";
          const end = lifeMs === "never" ? undefined : asked.now + lifeMs;
          return { jwt: await databases.mint(found, access, end) };
        }),
      rotateTokens: (asked) => withDatabase(asked, (found, name) => databases.rotate(name, found)),
      getConfiguration: (asked) => withDatabase(asked, (found) => configurationOf(databases, found)),
      configure: (asked) =>
        withDatabase(asked, async (found, name) => {
          const { block_reads, block_writes, size_limit, delete_protection } = asked.body;
          await databases.configure(found, {
            ...(block_reads === undefined ? {} : { blockReads: block_reads }),
            ...(block_writes === undefined ? {} : { blockWrites: block_writes }),
            ...(size_limit === undefined ? {} : { maxDatabaseSize: size_limit }),
          });
          found.deleteProtection = delete_protection ?? found.deleteProtection;
          if (delete_protection !== undefined) await databases.save(name);
          return configurationOf(databases, found);
        }),
      countUsage: (asked) =>
        withDatabase(asked, async (found, name) => {
          const month = new Date(asked.now).toISOString().slice(0, 7);
          const { from = `${month}-01T00:00:00Z`, to = new Date(asked.now).toISOString() } = asked.query;
          const used = await databases.usage(name, found, Date.parse(from), Date.parse(to));
          const counts = { rows_read: used.rowsRead, rows_written: used.rowsWritten };
          const total = { ...counts, storage_bytes: used.storageBytes, bytes_synced: 0 };
          return { database: { uuid: found.id, instances: [{ uuid: found.id, usage: total }], total } };
        }),
    },
  };
}

const place = "aws-us-east-1";
const groupBody = (group: TursoState["groups"][number]) => ({
  ...group,
  version: "v0.24.32",
  locations: [place],
  primary: place,
  delete_protection: false,
});

const created = (name: string, { id, port }: EmulatedDatabase) => ({
  DbId: id,
  Hostname: `127.0.0.1:${port}`,
  Name: name,
});

async function described(databases: EmulatedDatabases, name: string, database: EmulatedDatabase) {
  const { block_reads, block_writes, delete_protection } = await configurationOf(databases, database);
  const where = { regions: [place], primaryRegion: place, group: database.group, parent: null };
  return { ...created(name, database), ...where, block_reads, block_writes, delete_protection };
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

const words: Readonly<Record<number, string>> = {
  400: "bad request",
  401: "unauthorized: token is invalid",
  403: "unauthorized access attempt",
  404: "not found",
  429: "too many requests",
};

const unitsMs: Readonly<Record<string, number>> = {
  w: 604_800_000,
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
