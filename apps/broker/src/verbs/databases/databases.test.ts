import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditList, BuildView, DatabaseList, DatabaseView, ErrorEnvelope } from "@keyloan/contract";
import { ProviderError } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
import { finishWork } from "../../testing/finish-work.ts";
import { createMemoryConnectors, type MemoryConnectors } from "../../testing/memory-connectors.ts";
import { openPage } from "../../testing/open-page.ts";
import { listDatabases } from "./list-databases.ts";

const connector = "memory-database";
const minuteMs = 60_000;
let memory: MemoryConnectors;
let broker: TestBroker;
let buildId: string;
/** The name of the lent database. */
let lent: string;

beforeEach(async () => {
  memory = createMemoryConnectors();
  broker = await createTestBroker({ emulators: [], connectors: memory.connectors });
  buildId = (await broker.createBuild({ connectors: [connector] })).id;
  lent = await nameNow();
  memory.write(lent, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
  for (let id = 1; id <= 40; id++)
    memory.write(lent, `INSERT INTO notes VALUES (${id}, 'marked note ${id}')`);
});
afterEach(async () => {
  await broker.close();
  memory.databases.close();
});

const deps = () => broker.running().deps;
const nameNow = async () => (await broker.readEnv(buildId)).MEMORY_DATABASE_NAME ?? "";
const at = (path: string, id = buildId) => `/v1/builds/${id}/databases/${connector}/${path}`;
const archive = () => broker.call("POST", at("archive"));
const restore = () => broker.call("POST", at("restore"));
const env = () => broker.call("GET", `/v1/builds/${buildId}/env`);
const error = (answer: Answer) => (answer.body as ErrorEnvelope).error;
const show = async (): Promise<DatabaseView> => {
  const { databases } = (await broker.call("GET", `/v1/builds/${buildId}/databases`)).body as DatabaseList;
  return databases[0] ?? expect.fail("no database");
};
const showBuild = async () => (await broker.call("GET", `/v1/builds/${buildId}`)).body as BuildView;
const until = <T>(look: () => Promise<T>, expected: T) =>
  expect.poll(look, { timeout: 15_000, interval: 20 }).toEqual(expected);
const untilArchived = () =>
  until(async () => {
    const { state, archives } = await show();
    return state === "archived" && archives[0]?.droppedAt !== undefined;
  }, true);
const untilIdle = () => until(async () => (await show()).running, undefined);
const folder = () => join(broker.dataDirectory, "archives");
const files = () => readdir(folder()).catch(() => []);
const names = () => memory.databases.names().toSorted();
const rowsOf = (name: string) =>
  memory.databases.database(name).prepare("SELECT count(*) AS n FROM notes").get()?.n;
const actions = async () => {
  const { events } = (await broker.call("GET", `/v1/audit?entity=${buildId}&limit=200`)).body as AuditList;
  return events.map(({ action }) => action).filter((action) => /^(?:database|archive|lease)\./.test(action));
};
const archiveWell = async () => {
  expect((await archive()).status).toBe(202);
  await untilArchived();
};
const close = async () => {
  const answer = await broker.call("DELETE", `/v1/builds/${buildId}?wait=20`);
  await finishWork(deps(), buildId);
  return answer;
};
/** Holds a step until it is released. */
function gate() {
  const reached = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  const step = async () => {
    reached.resolve();
    await open.promise;
  };
  return { step, reached: reached.promise, open: () => open.resolve() };
}

describe("a list that is read while work ends", () => {
  it("shows what came of it, and never the database as it was before", async () => {
    await archive();
    const { store } = deps();
    const { endings } = store.read;
    const openJobsOf: typeof endings.openJobsOf = async (ids) => {
      await finishWork(deps(), buildId);
      return endings.openJobsOf(ids);
    };
    const read = { ...store.read, endings: { ...endings, openJobsOf } };
    const { databases } = await listDatabases(
      { ...deps(), store: { ...store, read } },
      { kind: "admin", subject: "admin" },
      buildId,
    );
    expect(databases).toMatchObject([{ state: "archived", archives: [{ state: "verified" }] }]);
  });
});

describe("an archive", () => {
  it("takes the place of its database, and the env says so", async () => {
    await archiveWell();
    expect(names()).toEqual([]);
    expect(memory.frozen.size).toBe(0);
    expect(await show()).toMatchObject({
      state: "archived",
      archives: [{ state: "verified", tables: 1, rows: 40 }],
    });
    const refused = await env();
    expect(refused.status).toBe(409);
    expect(error(refused)).toMatchObject({
      code: "database_archived",
      remedy: expect.stringContaining(`keyloan db restore ${buildId} ${connector}`),
    });
    expect(await actions()).toEqual([
      "database.dropped",
      "database.archived",
      "database.archiving",
      "lease.issued",
    ]);
  });

  it("is sealed: its file shows nothing of the content", async () => {
    await archiveWell();
    const [name = ""] = await files();
    const file = await readFile(join(folder(), name));
    expect(file.toString("latin1")).not.toContain("marked note");
    expect(file.toString("latin1")).toMatch(/^keyloan\/stream\/v1 dek_/);
  });

  it("stops writes while it is made, and lets the database go only when what was stored was found equal", async () => {
    const held = gate();
    memory.databases.trouble[lent] = { row: held.step };
    await archive();
    await held.reached;
    expect(() => memory.write(lent, "DELETE FROM notes")).toThrow("blocked");
    expect(await show()).toMatchObject({ state: "active", running: { kind: "archive" } });
    expect(await nameNow()).toBe(lent);
    held.open();
    await untilArchived();
    const steps = memory.databases.steps.map((step) => step.split(" ")[0]);
    expect(steps).toEqual(["finishWrites", "dump", "load", "summarize", "summarize"]);
  });

  it("is not begun twice, nor for one that is archived", async () => {
    const held = gate();
    memory.databases.trouble[lent] = { row: held.step };
    await archive();
    await held.reached;
    expect(error(await archive()).code).toBe("already_running");
    held.open();
    await untilArchived();
    expect(error(await archive()).code).toBe("database_archived");
  });

  it("needs a connector with databases, and a build that has it", async () => {
    const to = (name: string) => broker.call("POST", `/v1/builds/${buildId}/databases/${name}/archive`);
    expect(error(await to("nothing")).code).toBe("unknown_connector");
    expect(error(await to("memory-files")).code).toBe("not_found");
    expect(error(await restore()).code).toBe("not_ready");
  });

  it("stays archived when the build is renewed, and ends with it", async () => {
    await archiveWell();
    const renewed = await broker.call("POST", `/v1/builds/${buildId}/renew`, {
      body: { ttlSeconds: 200_000 },
    });
    expect(renewed.status).toBe(200);
    const { leases, expiresAt } = renewed.body as BuildView;
    expect(leases).toMatchObject([{ state: "archived", expiresAt }]);
    expect((await show()).state).toBe("archived");
  });
});

describe("a database that cannot be archived stays as it is", () => {
  const expectKept = async (message: RegExp) => {
    await untilIdle();
    await finishWork(deps(), buildId);
    expect(names()).toEqual([lent]);
    expect(await files()).toEqual([]);
    expect(await nameNow()).toBe(lent);
    memory.write(lent, "INSERT INTO notes (text) VALUES ('later')");
    expect(await show()).toMatchObject({
      state: "active",
      error: { message: expect.stringMatching(message), remedy: expect.any(String) },
      archives: [{ state: "failed", error: expect.stringMatching(message) }],
    });
    expect(await actions()).toContain("database.archive_failed");
    expect(broker.logs.some((line) => line.includes("database.archive_failed"))).toBe(true);
  };
  /** The scratch database, when a step of it is reached. */
  const onScratch = (step: string, change: (name: string) => unknown) => {
    memory.databases.anyTrouble[step] = (name) => {
      if (name !== lent) change(name);
    };
  };

  it("because a row came back changed", async () => {
    onScratch("summarize", (name) =>
      memory.databases.database(name).exec("UPDATE notes SET text = 'other' WHERE id = 7"),
    );
    await archive();
    await expectKept(/does not hold the same/);
  });

  it("because a row came back missing", async () => {
    onScratch("summarize", (name) => memory.databases.database(name).exec("DELETE FROM notes WHERE id = 7"));
    await archive();
    await expectKept(/does not hold the same/);
  });

  it("because something in it cannot be given faithfully", async () => {
    memory.databases.trouble[lent] = {
      dump: () => {
        throw new ProviderError("memory", "rejected", "holds what a dump would lose");
      },
    };
    await archive();
    await expectKept(/holds what a dump would lose/);
  });

  it("and names no table of it to a token that may not have its content", async () => {
    const message = 'does not accept the table "patients"';
    memory.databases.trouble[lent] = {
      dump: () => {
        throw new ProviderError("memory", "rejected", message);
      },
    };
    await archive();
    await expectKept(/"patients"/);
    const scoped = async (scope: string) =>
      (await broker.call("POST", "/v1/tokens", { body: { name: scope, scopes: [scope, "builds:read"] } }))
        .body as { token: string };
    const read = async (path: string, { token }: { token: string }) =>
      (await broker.call("GET", `/v1/builds/${buildId}${path}`, { token })).text;
    const [reader, writer] = [await scoped("builds:read"), await scoped("builds:write")];
    expect(await read("/databases", writer)).toContain("patients");
    for (const path of ["/databases", ""]) {
      const text = await read(path, reader);
      expect(text).toContain("does not accept the table");
      expect(text).not.toContain("patients");
    }
  });

  it("because the store of archives cannot be written, and is tried again when that is fixed", async () => {
    await writeFile(folder(), "in the way");
    await archive();
    await until(async () => (await show()).error?.code, "unavailable");
    expect(names()).toEqual([lent]);
    memory.write(lent, "INSERT INTO notes (text) VALUES ('later')");
    await rm(folder());
    broker.advance(60 * minuteMs);
    await untilArchived();
    await restore();
    await until(async () => (await env()).status, 200);
    expect(rowsOf(await nameNow())).toBe(41);
  });

  it("while the provider fails, and is tried again by itself", async () => {
    let failures = 1;
    memory.databases.trouble[lent] = {
      row: () => {
        if (failures-- > 0) throw new ProviderError("memory", "unavailable", "is down");
      },
    };
    await archive();
    await until(async () => (await show()).error?.code, "unavailable");
    expect(names()).toEqual([lent]);
    memory.write(lent, "INSERT INTO notes (text) VALUES ('later')");
    broker.advance(60 * minuteMs);
    await untilArchived();
    expect((await show()).archives.map(({ state }) => state)).toEqual(["verified", "failed"]);
  });

  it("and it accepts writes again even when that fails at first", async () => {
    let refusals = 1;
    memory.control.trouble = (writable) => {
      if (writable && refusals-- > 0) throw new ProviderError("memory", "forbidden", "does not let go");
    };
    onScratch("summarize", (name) => memory.databases.database(name).exec("DELETE FROM notes"));
    await archive();
    await until(async () => refusals === 0 && memory.frozen.has(lent), true);
    await until(async () => (await show()).error?.code, "not_faithful");
    memory.databases.anyTrouble.summarize = undefined;
    broker.advance(60 * minuteMs);
    await untilArchived();
    expect(names()).toEqual([]);
  });
});

describe("a provider that does not do its part for long", () => {
  const jobOf = async (kind: string) =>
    (await deps().store.read.jobs.list({ buildId, kind, limit: 10 }))[0] ?? expect.fail("no job");
  const runOften = async (kind: string) => {
    for (let run = 0; run < 12; run++) {
      broker.advance(120 * minuteMs);
      await finishWork(deps(), buildId);
    }
    return jobOf(kind);
  };

  it("has a person told of an archived database that it does not end, and it ends when it is well again", async () => {
    memory.control.dropTrouble = (name) => {
      if (name === lent) throw new ProviderError("memory", "forbidden", "does not drop");
    };
    await archive();
    await until(async () => (await show()).state, "archived");
    expect(await runOften("drop-archived")).toMatchObject({
      state: "requires_action",
      lastError: "forbidden",
    });
    expect(names()).toEqual([lent]);
    delete memory.control.dropTrouble;
    broker.advance(120 * minuteMs);
    await finishWork(deps(), buildId);
    expect(names()).toEqual([]);
    expect((await jobOf("drop-archived")).state).toBe("done");
  });

  it("has a person told when writes stay stopped, and they go on when it is well again", async () => {
    memory.control.trouble = (writable) => {
      if (writable) throw new ProviderError("memory", "forbidden", "does not let go");
    };
    memory.databases.trouble[lent] = {
      dump: () => {
        throw new ProviderError("memory", "rejected", "holds what a dump would lose");
      },
    };
    await archive();
    expect(await runOften("archive")).toMatchObject({ state: "requires_action" });
    expect(memory.frozen.has(lent)).toBe(true);
    delete memory.control.trouble;
    broker.advance(120 * minuteMs);
    await finishWork(deps(), buildId);
    expect(memory.frozen.has(lent)).toBe(false);
    expect(names()).toEqual([lent]);
  });
});

describe("restoring", () => {
  /** When a database is looked at that holds what was archived. */
  const onLoaded = (change: (name: string) => unknown) => {
    memory.databases.anyTrouble.summarize = (name) => {
      const table = memory.databases.database(name).prepare("SELECT 1 FROM sqlite_schema").get();
      if (table !== undefined && rowsOf(name) === 40) change(name);
    };
  };

  it("gives a new database with a new token, all rows, and an env that leads there", async () => {
    const before = await broker.readEnv(buildId);
    await archiveWell();
    expect((await restore()).status).toBe(202);
    await until(async () => (await env()).status, 200);
    const after = await broker.readEnv(buildId);
    expect(after.MEMORY_DATABASE_NAME).not.toBe(before.MEMORY_DATABASE_NAME);
    expect(after.MEMORY_DATABASE_TOKEN).not.toBe(before.MEMORY_DATABASE_TOKEN);
    expect(rowsOf(after.MEMORY_DATABASE_NAME ?? "")).toBe(40);
    await finishWork(deps(), buildId);
    expect(names()).toEqual([after.MEMORY_DATABASE_NAME]);
    expect(await files()).toEqual([]);
    expect(await show()).toMatchObject({ state: "active", archives: [{ state: "restored" }] });
    expect(await showBuild()).toMatchObject({ state: "ready", leases: [{ connector, state: "active" }] });
    const leases = await deps().store.read.leases.listByBuild(buildId);
    expect(leases.map(({ state }) => state).toSorted()).toEqual(["active", "released"]);
  });

  it("can be done again and again", async () => {
    for (let round = 1; round <= 2; round++) {
      await archiveWell();
      await restore();
      await until(async () => (await env()).status, 200);
      await finishWork(deps(), buildId);
      expect(rowsOf(await nameNow())).toBe(40);
    }
    expect((await show()).archives.map(({ state }) => state)).toEqual(["restored", "restored"]);
  });

  it("is not begun twice", async () => {
    await archiveWell();
    const held = gate();
    memory.databases.anyTrouble.load = held.step;
    await restore();
    await held.reached;
    expect(error(await restore()).code).toBe("already_running");
    expect(await show()).toMatchObject({ state: "archived", running: { kind: "restore" } });
    expect(error(await env()).code).toBe("database_archived");
    held.open();
    await until(async () => (await env()).status, 200);
  });

  it.each<[string, (file: string) => Promise<void>, RegExp]>([
    ["cut", async (file) => writeFile(file, (await readFile(file)).subarray(0, -10)), /cut off or altered/],
    [
      "altered",
      async (file) => {
        const bytes = await readFile(file);
        bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
        await writeFile(file, bytes);
      },
      /cut off or altered/,
    ],
    ["lengthened", async (file) => writeFile(file, "x", { flag: "a" }), /cut off or altered/],
    ["gone", (file) => rm(file), /not in the store/],
  ])("refuses a file that is %s, and keeps the archive for the next try", async (_what, damage, message) => {
    await archiveWell();
    const [name = ""] = await files();
    const file = join(folder(), name);
    const whole = await readFile(file);
    await damage(file);
    await restore();
    await until(async () => (await show()).error?.message.match(message)?.length, 1);
    await untilIdle();
    await finishWork(deps(), buildId);
    expect(names()).toEqual([]);
    expect(await show()).toMatchObject({ state: "archived", archives: [{ state: "verified" }] });
    expect(await actions()).toContain("database.restore_failed");
    await writeFile(file, whole);
    await restore();
    await until(async () => (await env()).status, 200);
    expect(rowsOf(await nameNow())).toBe(40);
  });

  it("refuses the archive of another build in its place", async () => {
    await archiveWell();
    const first = buildId;
    const [own = ""] = await files();
    buildId = (await broker.createBuild({ connectors: [connector] })).id;
    memory.write(await nameNow(), "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
    await archiveWell();
    const other = (await files()).find((name) => name !== own) ?? "";
    await writeFile(join(folder(), own), await readFile(join(folder(), other)));
    buildId = first;
    await restore();
    await until(async () => (await show()).error?.code, "not_faithful");
  });

  it("refuses the file of another archive of the same build", async () => {
    await archiveWell();
    const [first = ""] = await files();
    const old = await readFile(join(folder(), first));
    await restore();
    await until(async () => (await env()).status, 200);
    await finishWork(deps(), buildId);
    await archiveWell();
    const [second = ""] = await files();
    expect(second).not.toBe(first);
    await writeFile(join(folder(), second), old);
    await restore();
    await until(async () => (await show()).error?.code, "not_faithful");
  });

  it("is refused when what came back is not what was archived", async () => {
    await archiveWell();
    onLoaded((name) => memory.databases.database(name).exec("DELETE FROM notes WHERE id = 3"));
    await restore();
    await until(async () => (await show()).error?.code, "not_faithful");
    await finishWork(deps(), buildId);
    expect(names()).toEqual([]);
    expect(await files()).toHaveLength(1);
  });

  it("empties what a run before it has put there", async () => {
    await archiveWell();
    let failures = 1;
    onLoaded(() => {
      if (failures-- > 0) throw new ProviderError("memory", "unavailable", "is down for a moment");
    });
    await restore();
    await until(async () => failures, 0);
    await until(async () => (await deps().store.read.leases.listByBuild(buildId)).length, 2);
    broker.advance(60 * minuteMs);
    await until(async () => (await env()).status, 200);
    expect(rowsOf(await nameNow())).toBe(40);
    expect(memory.databases.steps.some((step) => step.startsWith("empty "))).toBe(true);
  });
});

describe("archiving and moving to the user", () => {
  const own = { MEMORY_DATABASE_NAME: "own-database", MEMORY_DATABASE_TOKEN: "own-database-token" };
  const openWithKeys = async () => {
    memory.databases.add("own-database");
    const page = await openPage(broker, buildId);
    expect((await page.save(connector, own)).status).toBe(200);
    return page;
  };

  it("keep out of each other's way: none begins while the other runs", async () => {
    const page = await openWithKeys();
    const held = gate();
    memory.databases.trouble[lent] = { row: held.step };
    await archive();
    await held.reached;
    expect(error(await page.call("POST", "/v1/settings/transfer", {})).code).toBe("already_running");
    held.open();
    await untilArchived();
    await restore();
    await until(async () => (await env()).status, 200);
    await finishWork(deps(), buildId);
    const second = gate();
    memory.databases.trouble[await nameNow()] = { row: second.step };
    expect((await page.call("POST", "/v1/settings/transfer", {})).status).toBeLessThan(300);
    await second.reached;
    expect(error(await archive()).code).toBe("already_running");
    second.open();
  });
});

describe("closing a build", () => {
  it("removes the archive of its database, and asks the provider for nothing", async () => {
    await archiveWell();
    const dropped = memory.dropped.length;
    expect((await close()).body).toMatchObject({ state: "closed" });
    expect(await files()).toEqual([]);
    const rows = await deps().store.read.archives.listByBuild(buildId);
    expect(rows.map(({ state }) => state)).toEqual(["removed"]);
    expect(await deps().store.read.dataKeys.findByOwner(buildId)).toBeUndefined();
    broker.advance(10 * minuteMs);
    await finishWork(deps(), buildId);
    expect(memory.dropped).toHaveLength(dropped);
  });

  it.each(["dump", "row", "load", "summarize"])("wins over an archiving at `%s`", async (step) => {
    const held = gate();
    if (step === "row") memory.databases.trouble[lent] = { row: held.step };
    else memory.databases.anyTrouble[step] = held.step;
    await archive();
    await held.reached;
    const closing = close();
    held.open();
    expect((await closing).body).toMatchObject({ state: expect.stringMatching(/clos/) });
    await until(async () => (await showBuild()).state, "closed");
    broker.advance(10 * minuteMs);
    await finishWork(deps(), buildId);
    expect(names()).toEqual([]);
    expect(await files()).toEqual([]);
  });

  it("wins over a restoring", async () => {
    await archiveWell();
    const held = gate();
    memory.databases.anyTrouble.load = held.step;
    await restore();
    await held.reached;
    const closing = close();
    held.open();
    await closing;
    broker.advance(10 * minuteMs);
    await finishWork(deps(), buildId);
    expect((await showBuild()).state).toBe("closed");
    expect(names()).toEqual([]);
    expect(await files()).toEqual([]);
  });
});

describe("a broker that ends in the middle", () => {
  it.each(["row", "load", "summarize"])(
    "goes on after its restart when archiving is at `%s`",
    async (step) => {
      const held = gate();
      if (step === "row") memory.databases.trouble[lent] = { row: held.step };
      else memory.databases.anyTrouble[step] = held.step;
      await archive();
      await held.reached;
      const restarting = broker.restart();
      held.open();
      await restarting;
      memory.databases.anyTrouble[step] = undefined;
      broker.advance(2 * minuteMs);
      await untilArchived();
      await finishWork(deps(), buildId);
      expect(names()).toEqual([]);
      expect(await files()).toHaveLength(1);
      await restore();
      await until(async () => (await env()).status, 200);
      expect(rowsOf(await nameNow())).toBe(40);
    },
  );

  it("leaves one worker of two to go on", async () => {
    await broker.startAnother();
    await archiveWell();
    expect((await show()).archives).toHaveLength(1);
    await restore();
    await until(async () => (await env()).status, 200);
    expect(rowsOf(await nameNow())).toBe(40);
  });
});
