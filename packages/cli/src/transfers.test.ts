import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProviderError, type ReceiptList } from "@keyloan/contract";
import { allowTokens, openPage, startWatchedKeyloan, type WatchedKeyloan } from "@keyloan/test-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { momentText } from "./shell/moments.ts";
import { bytesText } from "./shell/show-transfers.ts";
import { runKeyloan } from "./testing/run-keyloan.ts";

const own = {
  "memory-database": { MEMORY_DATABASE_NAME: "own-database", MEMORY_DATABASE_TOKEN: "own-database-token" },
  "memory-files": { MEMORY_FILES_NAME: "own-files", MEMORY_FILES_TOKEN: "own-files-token" },
};

let broker: WatchedKeyloan;
let folder: string;
let buildId: string;
/** The name of the lent database. */
let lent: string;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
  folder = mkdtempSync(join(tmpdir(), "keyloan-transfers-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.close();
});

/** A build with 40 rows and 20 files, whose user has saved an empty database and bucket and lets tokens move data. */
async function lend(): Promise<void> {
  const { memory } = broker;
  buildId = (await broker.createBuild({ connectors: Object.keys(own) })).id;
  const env = await broker.readEnv(buildId);
  lent = env.MEMORY_DATABASE_NAME ?? "";
  memory.write(lent, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
  for (let id = 1; id <= 40; id++) memory.write(lent, `INSERT INTO notes VALUES (${id}, 'note ${id}')`);
  const files = memory.storage.bucket(env.MEMORY_FILES_NAME ?? "");
  for (let index = 0; index < 20; index++) files.set(`${index}.txt`, "x".repeat(6_000));
  memory.databases.remove("own-database");
  memory.databases.add("own-database");
  memory.storage.bucket("own-files").clear();
  const page = await openPage(broker, buildId);
  for (const [connector, values] of Object.entries(own)) await page.save(connector, values);
  await allowTokens(broker, buildId, "transfer");
  broker.seen.length = 0;
}

const keyloan = (...argv: string[]) =>
  runKeyloan(["transfer", ...argv], {
    env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: broker.adminToken },
  });
const bodies = () =>
  broker.seen.filter(({ method }) => method === "POST").map(({ body }) => JSON.parse(body) as unknown);

describe("a build whose user has keys of their own", () => {
  beforeEach(lend);
  afterEach(async () => {
    broker.memory.databases.trouble[lent] = {};
    broker.memory.databases.trouble["own-database"] = {};
    await broker.finishWork();
  });

  test("transfer start follows everything to its end and shows what was moved", async () => {
    const { code, out } = await keyloan("start", buildId);
    expect([code, bodies()]).toEqual([0, [{}]]);
    expect(out).toMatch(/memory-database +copied +40 rows/);
    expect(out).toMatch(/memory-files +copied +20 files/);
  });

  test("transfer start moves only what is named", async () => {
    await keyloan("start", buildId, "--connector", "memory-database", "--no-wait");
    expect(bodies()).toEqual([{ connectors: ["memory-database"] }]);
    expect(broker.seen).toHaveLength(1);
  });

  test("transfer start touches nothing that is there, and has no way to say otherwise", async () => {
    const theirs = broker.memory.databases.database("own-database");
    theirs.exec("CREATE TABLE theirs (id); INSERT INTO theirs VALUES (1)");
    const refused = await keyloan("start", buildId);
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/the target already contains tables.*to be overwritten/s),
    ]);
    for (const action of ["start", "resume"])
      expect((await keyloan(action, buildId, "--overwrite")).code).toBe(2);
    expect(theirs.prepare("SELECT count(*) AS n FROM theirs").get()).toEqual({ n: 1 });
  });

  test("transfer start ends with 1 and the remedy when it failed", async () => {
    broker.memory.databases.trouble["own-database"] = {
      load: () => {
        throw new ProviderError("memory", "quota_exceeded", "is full");
      },
    };
    const { code, err } = await keyloan("start", buildId);
    expect(code).toBe(1);
    expect(err).toMatch(/not enough space.*Free some space there/s);
  });

  test("transfer start gives the list as JSON", async () => {
    const { out } = await keyloan("start", buildId, "--json");
    expect(JSON.parse(out)).toMatchObject({
      movable: [{ connector: "memory-database" }, { connector: "memory-files" }],
    });
  });

  test("transfer show tells what can be moved, and follows when asked", async () => {
    expect((await keyloan("show", buildId)).out).toMatch(/memory-database +can be moved/);
    const { promise, resolve } = Promise.withResolvers<void>();
    let rows = 0;
    broker.memory.databases.trouble[lent] = { row: () => (++rows > 10 ? promise : undefined) };
    await keyloan("start", buildId, "--no-wait");
    await expect
      .poll(async () => (await keyloan("show", buildId)).out, { timeout: 10_000 })
      .toMatch(/memory-database +copying +10 of 40 rows/);
    resolve();
    expect((await keyloan("show", buildId, "--follow")).out).toMatch(/memory-database +copied/);
  });

  test("transfer cancel and transfer resume are told which", async () => {
    await keyloan("start", buildId, "--no-wait");
    expect((await keyloan("cancel", buildId)).out).toMatch(/memory-database +cancelled/);
    const resumed = await keyloan("resume", buildId, "--connector", "memory-files");
    expect(resumed.code).toBe(0);
    expect(bodies().slice(1)).toEqual([{}, { connectors: ["memory-files"], overwrite: false }]);
  });
});

describe("transfer receipt", () => {
  beforeAll(async () => {
    await lend();
    expect((await keyloan("start", buildId)).code).toBe(0);
  });

  test("shows what was moved and proves it", async () => {
    const { code, out } = await keyloan("receipt", buildId, "--verify");
    expect(code).toBe(0);
    const { receipts } = JSON.parse((await keyloan("receipt", buildId, "--json")).out) as ReceiptList;
    for (const { connector, content } of receipts)
      expect(out).toMatch(new RegExp(`Moved +${connector}, proven ${momentText(content.provenAt)}`));
    expect(receipts).toHaveLength(2);
    expect(out).toMatch(new RegExp(`Build +${buildId}`));
    expect(out).toMatch(/What +1 tables, 40 rows/);
    expect(out).toMatch(/20 files, 120.0 kB/);
    expect(out.match(/Signature +good/g)).toHaveLength(2);
  });

  const keep = async () => {
    const file = join(folder, "receipts.json");
    writeFileSync(file, (await keyloan("receipt", buildId, "--json")).out);
    return file;
  };
  const change = (file: string, edit: (list: ReceiptList) => unknown) => {
    const list = JSON.parse(readFileSync(file, "utf8")) as ReceiptList;
    writeFileSync(file, JSON.stringify(edit(list)));
  };

  test("proves one that was kept", async () => {
    expect((await keyloan("receipt", "--file", await keep())).out).toMatch(/Signature +good/);
  });

  test.each([
    ["says something else than what was signed", (receipt: string) => receipt, "altered account"],
    ["has another signature", (receipt: string) => `${receipt.slice(0, -8)}AAAAAAAA`, undefined],
    [
      "has another type",
      (receipt: string) =>
        `${part({ alg: "EdDSA", kid: kidOf(receipt), typ: "JWT" })}${receipt.slice(receipt.indexOf("."))}`,
      undefined,
    ],
    [
      "is signed by nobody",
      (receipt: string) =>
        `${part({ alg: "none" })}${receipt.slice(receipt.indexOf("."), receipt.lastIndexOf(".") + 1)}`,
      undefined,
    ],
  ])("refuses one that %s", async (_what, alter, account) => {
    const file = await keep();
    change(file, ({ receipts }) => ({
      receipts: receipts.map((each) => ({
        ...each,
        content: account === undefined ? each.content : { ...each.content, to: { account } },
        receipt: alter(each.receipt),
      })),
    }));
    const { code, err } = await keyloan("receipt", "--file", file);
    expect([code, err]).toEqual([1, expect.stringMatching(/not signed by this broker/)]);
  });

  test("refuses one beside which another service is named", async () => {
    const file = await keep();
    change(file, ({ receipts }) => ({ receipts: receipts.map((each) => ({ ...each, connector: "other" })) }));
    expect((await keyloan("receipt", "--file", file)).code).toBe(1);
    change(await keep(), ({ receipts }) => ({
      receipts: receipts.map((each) => ({ ...each, build: "bld_00000000000000000000" })),
    }));
    expect((await keyloan("receipt", "--file", file)).code).toBe(1);
  });

  test("refuses a file that holds none", async () => {
    const file = join(folder, "other.json");
    writeFileSync(file, "{}");
    expect((await keyloan("receipt", "--file", file)).err).toContain("holds no receipt");
  });
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [1_450_000, "1.4 MB"],
  [2_000_000_000_000_000, "2000.0 TB"],
])("%i bytes are %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function kidOf(receipt: string): unknown {
  const header = JSON.parse(Buffer.from(receipt.split(".")[0] ?? "", "base64url").toString()) as {
    kid: string;
  };
  return header.kid;
}
