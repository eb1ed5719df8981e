import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReceiptList } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bytesText } from "./shell/show-transfers.ts";
import { type FakeBroker, startFakeBroker } from "./testing/fake-broker.ts";
import { runKeyloan } from "./testing/run-keyloan.ts";
import { adminToken, sampleBuildId } from "./testing/samples.ts";

let broker: FakeBroker;
let folder: string;
beforeAll(async () => {
  broker = await startFakeBroker();
  folder = mkdtempSync(join(tmpdir(), "keyloan-transfers-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.close();
});
beforeEach(() => {
  const { moving } = broker.state;
  moving.transfers.clear();
  moving.ending = "copied";
  moving.occupied = false;
  broker.seen.length = 0;
});

const keyloan = (...argv: string[]) =>
  runKeyloan(["transfer", ...argv], { env: { KEYLOAN_URL: broker.url, KEYLOAN_TOKEN: adminToken } });
const bodies = () =>
  broker.seen.filter(({ method }) => method === "POST").map(({ body }) => JSON.parse(body) as unknown);

describe("transfer start", () => {
  test("follows everything to its end and shows what was moved", async () => {
    const { code, out } = await keyloan("start", sampleBuildId);
    expect([code, bodies()]).toEqual([0, [{}]]);
    expect(out).toMatch(/turso +copied +20000 rows/);
    expect(out).toMatch(/r2 +copied +300 files/);
  });

  test("moves only what is named", async () => {
    await keyloan("start", sampleBuildId, "--connector", "turso", "--no-wait");
    expect(bodies()).toEqual([{ connectors: ["turso"] }]);
    expect(broker.seen).toHaveLength(1);
  });

  test("touches nothing that is there, and has no way to say otherwise", async () => {
    broker.state.moving.occupied = true;
    const refused = await keyloan("start", sampleBuildId);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("may be overwritten")]);
    for (const action of ["start", "resume"])
      expect((await keyloan(action, sampleBuildId, "--overwrite")).code).toBe(2);
  });

  test("ends with 1 and the remedy when it failed", async () => {
    broker.state.moving.ending = "failed";
    const { code, err } = await keyloan("start", sampleBuildId);
    expect(code).toBe(1);
    expect(err).toMatch(/not enough room.*Make room there/s);
  });

  test("gives the list as JSON", async () => {
    const { out } = await keyloan("start", sampleBuildId, "--json");
    expect(JSON.parse(out)).toMatchObject({ movable: [{ connector: "turso" }, { connector: "r2" }] });
  });
});

test("transfer show tells what can be moved, and follows when asked", async () => {
  expect((await keyloan("show", sampleBuildId)).out).toMatch(/turso +can be moved/);
  await keyloan("start", sampleBuildId, "--no-wait");
  expect((await keyloan("show", sampleBuildId)).out).toMatch(/turso +copying +10 of 20000 rows/);
  expect((await keyloan("show", sampleBuildId, "--follow")).out).toMatch(/turso +copied/);
});

test("transfer cancel and transfer resume are told which", async () => {
  await keyloan("start", sampleBuildId, "--no-wait");
  expect((await keyloan("cancel", sampleBuildId)).out).toMatch(/turso +cancelled/);
  const resumed = await keyloan("resume", sampleBuildId, "--connector", "r2");
  expect(resumed.code).toBe(0);
  expect(bodies().slice(1)).toEqual([{}, { connectors: ["r2"], overwrite: false }]);
});

describe("transfer receipt", () => {
  test("shows what was moved and proves it", async () => {
    const { code, out } = await keyloan("receipt", sampleBuildId, "--verify");
    expect(code).toBe(0);
    expect(out).toMatch(/Moved +turso, proven 2026-11-20 12:01:00Z/);
    expect(out).toMatch(/What +1 tables, 20000 rows/);
    expect(out).toMatch(/300 files, 120.0 kB/);
    expect(out.match(/Signature +good/g)).toHaveLength(2);
  });

  const keep = async () => {
    const file = join(folder, "receipts.json");
    writeFileSync(file, (await keyloan("receipt", sampleBuildId, "--json")).out);
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
    expect([code, err]).toEqual([1, expect.stringMatching(/not one that this broker signed/)]);
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
