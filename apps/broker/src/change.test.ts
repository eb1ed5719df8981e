import type { TokenRow } from "@keyloan/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { By } from "./audit-row.ts";
import { bySystem, type Unit } from "./change.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterAll(() => broker.close());

const admin: By = { actor: { kind: "admin", subject: "test" }, requestId: "req_change" };
const deps = () => broker.running().deps;
const token = (id: string): TokenRow => ({
  ...{ id, kind: "api", hash: id, name: "platform", scopes: [], buildId: null, singleUse: false },
  ...{ createdAt: 0, expiresAt: null, usedAt: null, revokedAt: null },
});
const eventsOf = async (entity: string) => deps().store.read.auditEvents.list({ entity, limit: 9 });

describe("a change", () => {
  test("writes its rows with who made it and in which request, or nothing at all", async () => {
    await deps().change(admin, ["tok_a"], async (tx) => {
      await tx.tokens.insert(token("tok_a"));
      tx.audit("token.tried", "tok_a", { n: 1 });
    });
    expect(await eventsOf("tok_a")).toMatchObject([
      { actor: "admin:test", action: "token.tried", details: '{"n":1}', requestId: "req_change" },
    ]);
    const failing = deps().change(admin, ["tok_b"], async (tx) => {
      await tx.tokens.insert(token("tok_b"));
      tx.audit("token.tried", "tok_b");
      tx.notice({ type: "test.told", message: "never" });
      throw new Error("the process ends here");
    });
    await expect(failing).rejects.toThrow("the process ends here");
    expect(await eventsOf("tok_b")).toEqual([]);
    expect(await deps().store.read.tokens.find("tok_b")).toBeUndefined();
  });

  test("of a caller without an audit row is refused and undone", async () => {
    const silent = deps().change(admin, ["tok_c"], (tx) => tx.tokens.insert(token("tok_c")));
    await expect(silent).rejects.toThrow("has no audit row");
    expect(await deps().store.read.tokens.find("tok_c")).toBeUndefined();
    expect(await deps().change(admin, [], async (tx) => tx.unaudited("nothing new"))).toBe("nothing new");
  });

  test("of the broker's own books needs none", async () => {
    await deps().change(bySystem("test"), [], (tx) => tx.tokens.insert(token("tok_d")));
    expect(await deps().store.read.tokens.find("tok_d")).toBeDefined();
  });

  test("starts the jobs it holds after the commit, and leaves others to whoever has room", async () => {
    const [started, later] = await deps().change(bySystem("test"), [], async (tx) => [
      tx.job({ kind: "remove-archive", entityId: "arc_held" }),
      tx.job({ kind: "remove-archive", entityId: "arc_later" }, broker.now() + 3_600_000),
    ]);
    expect([started?.lockedBy, later?.lockedBy]).toEqual([deps().workerId, null]);
    await deps().runner.tried("arc_held");
    const { jobs } = deps().store.read;
    expect((await jobs.find(started?.id ?? ""))?.state).toBe("done");
    expect(await jobs.find(later?.id ?? "")).toMatchObject({ state: "waiting", attempts: 0 });
  });

  test("is not made by a token that was revoked while its request was under way", async () => {
    await deps().store.write([], (tables) => tables.tokens.insert({ ...token("tok_e"), revokedAt: 1 }));
    const by: By = { actor: { kind: "platform", tokenId: "tok_e", scopes: [] } };
    const revoked = deps().change(by, [], async (tx) => tx.audit("token.tried", "tok_e"));
    await expect(revoked).rejects.toMatchObject({ code: "unauthenticated" });
    expect(await eventsOf("tok_e")).toEqual([]);
  });

  test("takes nothing any more when it is over", async () => {
    const kept: Unit[] = [];
    await deps().change(admin, [], async (tx) => {
      kept.push(tx);
      tx.audit("token.tried", "tok_f");
    });
    expect(() => kept[0]?.audit("token.tried", "tok_late")).toThrow("over");
    expect(() => kept[0]?.notice({ type: "test.told", message: "late" })).toThrow("over");
    await finishWork(deps());
    expect(await eventsOf("tok_late")).toEqual([]);
  });
});
