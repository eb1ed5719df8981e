import { afterEach, describe, expect, test } from "vitest";
import { createByteBudget } from "./byte-budget.ts";
import type { Refusal } from "./gateway-judge.ts";
import { createDatabaseShare, gatewayLimits } from "./gateway-limits.ts";
import { createJudge, judgeInTurn } from "./judge-in-turn.ts";

const judge = createJudge();
afterEach(() => judge.close());

const databaseOf = (waitingMax = gatewayLimits.waitingMax) => ({
  judge,
  share: createDatabaseShare({ ...gatewayLimits, waitingMax }, createByteBudget(1_000_000_000)),
});
const bodyOf = (sql: string) =>
  Buffer.from(JSON.stringify({ requests: [{ type: "execute", stmt: { sql } }] }));
const small = bodyOf("SELECT 1");
const large = bodyOf(`SELECT 1${",1".repeat(500_000)}`);
const hostile = bodyOf(`SELECT readfile('x')${",1".repeat(500_000)}`);
const ask = (database: ReturnType<typeof databaseOf>, body: Buffer, onVerdict = () => {}) =>
  new Promise<Refusal | undefined>((resolve) => {
    judgeInTurn(database, "json", body, {
      onWait: () => {},
      onVerdict: (refusal) => {
        onVerdict();
        resolve(refusal);
      },
    });
  });

describe("a large request", () => {
  test("is judged as a small one is", async () => {
    expect(await ask(databaseOf(), large)).toBeUndefined();
    expect(await ask(databaseOf(), hostile)).toMatchObject({ status: 403 });
    expect(await ask(databaseOf(), large.subarray(1))).toMatchObject({ status: 400 });
  });

  test("holds up nobody's small one, nor the gateway", async () => {
    const order: string[] = [];
    const [own, other] = [databaseOf(), databaseOf()];
    const asked = [
      ask(own, large, () => order.push("large")),
      ask(own, small, () => order.push("own small")),
      ask(other, small, () => order.push("small")),
      new Promise((resolve) => setImmediate(() => resolve(order.push("others are served")))),
    ];
    await Promise.all(asked);
    expect(order).toEqual(["own small", "small", "others are served", "large"]);
  });

  test("of one database waits for those that it sent before, not for those of another", async () => {
    const order: string[] = [];
    const [own, other] = [databaseOf(), databaseOf()];
    await Promise.all([
      ...[1, 2, 3].map((count) => ask(own, large, () => order.push(`own ${count}`))),
      ask(other, large, () => order.push("other")),
    ]);
    expect(order).toEqual(["own 1", "other", "own 2", "own 3"]);
  });

  test("that is one too many is refused, and one that is given up leaves its turn", async () => {
    const database = databaseOf(1);
    const first = ask(database, large);
    const leaves: (() => void)[] = [];
    judgeInTurn(database, "json", large, {
      onWait: (leave) => leaves.push(leave),
      onVerdict: () => expect.unreachable(),
    });
    expect(await ask(database, large)).toMatchObject({ status: 503 });
    for (const leave of leaves) leave();
    expect(await first).toBeUndefined();
    expect(await ask(database, hostile)).toMatchObject({ status: 403 });
  });

  test("that is judged at the end is refused", async () => {
    const asked = ask(databaseOf(), large);
    await judge.close();
    expect(await asked).toMatchObject({ status: 503 });
  });
});
