import type {
  AuditList,
  BuildView,
  ErrorEnvelope,
  GateResult,
  KeyCheck,
  SettingsView,
} from "@keyloan/contract";
import { Secret } from "@keyloan/contract";
import { parse } from "dotenv";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { finishWork } from "../testing/finish-work.ts";
import { createCode, openPage, type TestPage } from "../testing/open-page.ts";
import { savedBuild, switchAll } from "../testing/saved-build.ts";
import { sweepExpired } from "../worker.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker();
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;
const details = (answer: { body: unknown }) => error(answer).details as Record<string, unknown>;
const emulator = (id: string) => broker.emulators.get(id) ?? expect.fail();
const own = (
  id: string,
  options?: Parameters<NonNullable<ReturnType<typeof emulator>["createUserEnv"]>>[0],
) => emulator(id).createUserEnv?.(options) ?? expect.fail(`${id} has no user account`);
const exchange = (code: string, headers: Record<string, string> = { "x-keyloan-session": "1" }) =>
  broker.call("POST", "/v1/session", { token: null, body: { code }, headers });

/** Saves own keys for everything the build uses. */
async function saveAll(page: TestPage, mode: "test" | "live" = "live"): Promise<Record<string, string>> {
  let all: Record<string, string> = {};
  for (const { connector } of (await page.settings()).bindings) {
    const values = connector === "app-secrets" ? {} : await own(connector, { mode });
    const answer = await page.save(connector, values);
    if (answer.status !== 200) throw new Error(`${connector}: ${answer.status} ${answer.text}`);
    all = { ...all, ...values };
  }
  return all;
}

describe("the link", () => {
  it("opens once; a second try is refused, audited, and ends no session", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const code = await createCode(broker, id);
    const first = await exchange(code);
    expect(first.status).toBe(201);
    expect(first.headers.getSetCookie()[0]).toMatch(/HttpOnly/i);
    expect(first.headers.getSetCookie()[0]).toMatch(/SameSite=Strict/i);
    const second = await exchange(code);
    expect([second.status, error(second).code]).toEqual([401, "handoff_used"]);
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}`)).body as AuditList;
    expect(events.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["handoff.created", "session.opened", "handoff.refused"]),
    );
    expect(JSON.stringify(events)).not.toContain(code);
    const shown = (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
    expect(shown.handoff).toMatchObject({ openedAt: expect.any(String), refusedAt: expect.any(String) });
  });

  it("opens one session of many tries at once", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const code = await createCode(broker, id);
    const statuses = (await Promise.all(Array.from({ length: 6 }, () => exchange(code)))).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted()).toEqual([201, 401, 401, 401, 401, 401]);
  });

  it("carries its code where no server or log sees it, and ends when a newer one is made", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const made = await broker.call("POST", `/v1/builds/${id}/handoff`, { body: {} });
    const { url } = made.body as { url: string };
    expect(url).toMatch(/\/settings#code=klo_hnd_[A-Za-z0-9_-]{51}$/);
    await createCode(broker, id);
    const answer = await exchange(new URL(url).hash.slice("#code=".length));
    expect([answer.status, error(answer).code]).toEqual([401, "handoff_expired"]);
  });

  it("expires", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"], ttlSeconds: 604_800 });
    const made = await broker.call("POST", `/v1/builds/${id}/handoff`, { body: { ttlSeconds: 60 } });
    broker.advance(61_000);
    const answer = await exchange((made.body as { url: string }).url.split("#code=")[1] ?? "");
    expect([answer.status, error(answer).code]).toEqual([401, "handoff_expired"]);
  });

  it.each([
    ["without the page's header", {}],
    ["from another origin", { "x-keyloan-session": "1", origin: "https://evil.example" }],
    ["from another site", { "x-keyloan-session": "1", "sec-fetch-site": "cross-site" }],
  ])("is not exchanged %s", async (_what, headers) => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    expect((await exchange(await createCode(broker, id), headers)).status).toBe(403);
  });
});

describe("a user signed in to the org's own app", () => {
  it("opens the page of a build that was handed to them, and of no other", async () => {
    const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
    const origin = "https://app.example.com";
    const own = await createTestBroker({
      emulators: [],
      config: {
        clerkSessions: {
          publishableKey: `pk_test_${Buffer.from("happy-fox-12.clerk.accounts.dev$").toString("base64url")}`,
          secretKey: Secret.of(["sk", "test", "a".repeat(40)].join("_")),
          jwtKey: await exportSPKI(publicKey),
          authorizedParties: [origin],
        },
      },
    });
    try {
      const { id } = await own.createBuild({ connectors: ["app-secrets"] });
      await own.call("POST", `/v1/builds/${id}/handoff`, { body: { userRef: "user_1" } });
      const ask = async (sub: string) => {
        const now = Math.floor(Date.now() / 1000);
        const token = await new SignJWT({
          azp: origin,
          sid: "sess_1",
          sub,
          iss: "https://happy-fox-12.clerk.accounts.dev",
        })
          .setProtectedHeader({ alg: "RS256", kid: "ins_1", typ: "JWT" })
          .setIssuedAt(now - 1)
          .setNotBefore(now - 1)
          .setExpirationTime(now + 60)
          .sign(privateKey);
        return own.call("POST", "/v1/session", {
          token,
          body: { buildId: id },
          headers: { "x-keyloan-session": "1" },
        });
      };
      expect([(await ask("user_1")).status, (await ask("user_2")).status]).toEqual([201, 403]);
      const nobody = { token: null, body: { buildId: id }, headers: { "x-keyloan-session": "1" } };
      expect((await own.call("POST", "/v1/session", nobody)).status).toBe(401);
    } finally {
      await own.close();
    }
  });

  it("opens nothing where that is not configured", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const headers = { "x-keyloan-session": "1" };
    const answer = await broker.call("POST", "/v1/session", { body: { buildId: id }, headers });
    expect([answer.status, error(answer).code]).toEqual([401, "unauthenticated"]);
  });
});

describe("the session", () => {
  it("ends by itself when it is not used, and when the user leaves", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"], ttlSeconds: 604_800 });
    const page = await openPage(broker, id);
    broker.advance(3_000_000);
    expect((await page.call("GET", "/v1/settings")).status).toBe(200);
    broker.advance(3_000_000);
    expect((await page.call("GET", "/v1/settings")).status).toBe(200);
    expect((await page.call("DELETE", "/v1/session")).status).toBe(204);
    expect(error(await page.call("GET", "/v1/settings")).code).toBe("session_expired");
    const idle = await openPage(broker, id);
    broker.advance(3_601_000);
    expect(error(await idle.call("GET", "/v1/settings")).code).toBe("session_expired");
  });

  it.each(["same-site", "cross-site"])(
    "refuses a download that a %s page made the browser send",
    async (site) => {
      const { id, page } = await savedBuild(broker);
      await switchAll(page);
      const path = `/v1/settings/env-file?format=dotenv`;
      const ask = (from: string) => page.call("GET", path, undefined, { "sec-fetch-site": from });
      expect((await ask(site)).status).toBe(403);
      for (const other of ["/v1/settings", "/v1/settings/databases/turso/download"])
        expect((await page.call("GET", other, undefined, { "sec-fetch-site": site })).status).toBe(403);
      const reads = async () =>
        ((await broker.call("GET", `/v1/audit?entity=${id}&action=env_file.read`)).body as AuditList).events;
      expect(await reads()).toEqual([]);
      expect((await ask("same-origin")).status).toBe(200);
      expect((await ask("none")).status).toBe(200);
      expect(await reads()).toHaveLength(2);
    },
  );

  it("refuses a write that another site made the browser send", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const page = await openPage(broker, id);
    const answer = await page.call(
      "PUT",
      "/v1/settings/keys/app-secrets",
      { submission: { values: {} }, expectedVersion: 0 },
      { origin: "https://evil.example" },
    );
    expect(answer.status).toBe(403);
    expect((await page.settings()).version).toBe(0);
  });
});

describe("keys of the user", () => {
  it("are checked without being stored, sealed or in the clear", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    const page = await openPage(broker, id);
    const values = await own("turso");
    for (const submission of [{ values }, await page.seal(values)]) {
      const answer = await page.call("POST", "/v1/settings/keys/turso/validate", { submission });
      expect(answer.body).toMatchObject({
        check: { status: "valid", capabilities: expect.any(Array) },
        repairs: [],
      });
    }
    expect(await page.settings()).toMatchObject({
      version: 0,
      bindings: [{ connector: "turso", source: "org" }],
    });
  });

  it("are saved sealed, shown masked, and the way they came is audited", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    const page = await openPage(broker, id);
    const values = await own("turso");
    const submission = await page.seal(values);
    const answer = await page.call("PUT", "/v1/settings/keys/turso", { submission, expectedVersion: 0 });
    expect(answer.status).toBe(200);
    const token = values.TURSO_AUTH_TOKEN ?? expect.fail();
    expect(answer.text).not.toContain(token);
    const [binding] = (await page.settings()).bindings;
    expect(binding).toMatchObject({ source: "org", saved: { check: { status: "valid" } } });
    expect(binding?.saved?.fields).toContainEqual({
      name: "TURSO_AUTH_TOKEN",
      preview: `••••${token.slice(-4)}`,
    });
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&action=keys.saved`))
      .body as AuditList;
    expect(events).toMatchObject([
      { actor: expect.stringMatching(/^session:ses_/), details: { way: "sealed" } },
    ]);
  });

  it("sealed to another session's key do not open", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const other = await openPage(broker, id);
    const page = await openPage(broker, id);
    const submission = await other.seal({});
    const answer = await page.call("PUT", "/v1/settings/keys/app-secrets", {
      submission,
      expectedVersion: 0,
    });
    expect([answer.status, error(answer).code]).toEqual([422, "invalid_input"]);
  });

  it.each([
    ["too long", { TURSO_AUTH_TOKEN: "x".repeat(16 * 1024 + 1) }],
    ["too many", Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`NAME_${index}`, "x"]))],
  ])("that are %s are refused, sealed or in the clear", async (_what, values) => {
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    const page = await openPage(broker, id);
    for (const submission of [{ values }, await page.seal(values)]) {
      const answer = await page.call("POST", "/v1/settings/keys/turso/validate", { submission });
      expect([answer.status, error(answer).code]).toEqual([422, "invalid_input"]);
    }
  });

  it("that do not work are refused with the field and the way to fix it, and nothing is kept", async () => {
    const { id } = await broker.createBuild({ connectors: ["stripe"] });
    const page = await openPage(broker, id);
    const values = await own("stripe", { mode: "test" });
    const key = values.STRIPE_SECRET_KEY ?? expect.fail();
    const answer = await page.save("stripe", { ...values, STRIPE_SECRET_KEY: `${key.slice(0, -4)}XXXX` });
    expect([answer.status, error(answer).code]).toEqual([422, "key_rejected"]);
    expect(details(answer).check).toMatchObject({
      status: "invalid",
      envVar: "STRIPE_SECRET_KEY",
      code: "rejected",
    });
    expect(answer.text).not.toContain(key.slice(0, -4));
    expect((await page.settings()).bindings[0]?.saved).toBeUndefined();
  });

  it("are refused when they are the ones that were lent, to this build or to another", async () => {
    const other = await broker.createBuild({ connectors: ["turso"] });
    const lent = await broker.readEnv(other.id);
    const { id } = await broker.createBuild({ connectors: ["turso", "clerk"] });
    const page = await openPage(broker, id);
    const turso = await page.save("turso", {
      TURSO_DATABASE_URL: lent.TURSO_DATABASE_URL ?? "",
      TURSO_AUTH_TOKEN: lent.TURSO_AUTH_TOKEN ?? "",
    });
    expect(details(turso).check).toMatchObject({ code: "ours", remedy: expect.any(String) });
    const env = await broker.readEnv(id);
    const clerk = await page.save("clerk", {
      CLERK_SECRET_KEY: env.CLERK_SECRET_KEY ?? "",
      CLERK_PUBLISHABLE_KEY: env.CLERK_PUBLISHABLE_KEY ?? "",
    });
    expect(details(clerk).check).toMatchObject({ code: "ours" });
  });

  it("that could not be checked are kept, and the swap waits for them", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    const page = await openPage(broker, id);
    const values = await own("turso");
    const closed = { ...values, TURSO_DATABASE_URL: "http://127.0.0.1:9" };
    const answer = await page.save("turso", closed);
    expect(answer.status).toBe(200);
    expect((answer.body as { check: KeyCheck }).check.status).toBe("undetermined");
    const swap = await page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() });
    expect([swap.status, error(swap).code]).toEqual([409, "gates_failed"]);
  });

  it("cannot overwrite what another tab saved", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const page = await openPage(broker, id);
    await page.save("app-secrets", {});
    const late = await page.call("PUT", "/v1/settings/keys/app-secrets", {
      submission: { values: {} },
      expectedVersion: 0,
    });
    expect([late.status, error(late).code]).toEqual([409, "settings_changed"]);
  });

  it("can be forgotten before they are in use", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const page = await openPage(broker, id);
    await page.save("app-secrets", {});
    const answer = await page.call(
      "DELETE",
      `/v1/settings/keys/app-secrets?expectedVersion=${await page.version()}`,
    );
    expect(answer.status).toBe(200);
    expect((await page.settings()).bindings[0]?.saved).toBeUndefined();
  });
});

describe("the whole way", () => {
  // Its clock is its own: stand-ins live in real time and refuse what comes from too far ahead.
  beforeAll(async () => {
    await broker.close();
    broker = await createTestBroker();
    await broker.putOrgKeys();
  });

  it("goes back within the window even when the build would have ended before, and keeps what was saved", async () => {
    const own = await createTestBroker({ emulators: ["turso"] });
    try {
      await own.putOrgKeys();
      const { id } = await own.createBuild({ connectors: ["app-secrets", "turso"], ttlSeconds: 3600 });
      const lent = await own.readEnv(id);
      const page = await openPage(own, id);
      await page.save("app-secrets", {});
      await page.save("turso", (await own.emulators.get("turso")?.createUserEnv()) ?? expect.fail());
      await page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() });
      own.advance(20 * 3_600_000);
      await sweepExpired(own.running().deps);
      const again = await openPage(own, id, page.browser);
      const { revertibleUntil } = await again.settings();
      expect(Date.parse(revertibleUntil ?? "")).toBeGreaterThan(Date.now() + 20 * 3_600_000);
      const reverted = await again.call("POST", "/v1/settings/revert", {
        expectedVersion: await again.version(),
      });
      expect(reverted.status).toBe(200);
      await sweepExpired(own.running().deps);
      expect((await own.readEnv(id)).JWT_SECRET).toBe(lent.JWT_SECRET);
      expect((await again.settings()).bindings.every(({ saved }) => saved !== undefined)).toBe(true);
    } finally {
      await own.close();
    }
  });

  it("leaves every binding as it was when a swap breaks in the middle", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets", "turso", "r2"] });
    const page = await openPage(broker, id);
    await saveAll(page);
    const before = { settings: await page.settings(), env: await broker.readEnv(id) };
    const { store } = broker.running().deps;
    const { write } = store;
    let swaps = 0;
    const breakingWrite: typeof write = (scope, run) =>
      write(scope, (tables) => {
        const swap: typeof tables.bindings.swap = (...parameters) => {
          swaps += 1;
          if (swaps === 3) throw new Error("the process ends here");
          return tables.bindings.swap(...parameters);
        };
        return run({ ...tables, bindings: { ...tables.bindings, swap } });
      });
    Object.assign(store, { write: breakingWrite });
    const swapped = await page.call("POST", "/v1/settings/swap", {
      expectedVersion: before.settings.version,
    });
    Object.assign(store, { write });
    expect([swapped.status, swaps]).toEqual([500, 3]);
    const { session: _before, ...kept } = before.settings;
    const { session: _after, ...after } = await page.settings();
    expect(after).toEqual(kept);
    expect(await broker.readEnv(id)).toEqual(before.env);
  });

  it("swaps, gives the user's own env, reverts, swaps again, finishes, and ends what was lent", async () => {
    const { id } = await broker.createBuild({ ttlSeconds: 604_800 });
    const workload = await broker.createBuildToken(id, { ttlSeconds: 3600 });
    const lent = await broker.readEnv(id, workload);
    const page = await openPage(broker, id);
    const mine = await saveAll(page);

    const dry = await page.call("POST", "/v1/settings/swap", {
      dryRun: true,
      expectedVersion: await page.version(),
    });
    expect(dry.status).toBe(200);
    const { gates } = dry.body as { gates: GateResult[] };
    expect(gates.filter(({ status }) => status === "fail")).toEqual([]);
    expect((await page.settings()).bindings.every(({ source }) => source === "org")).toBe(true);
    expect((await page.call("GET", "/v1/settings/env-file")).status).toBe(409);

    const lendAll = Object.fromEntries(
      (await page.settings()).bindings.map(({ connector }) => [connector, true]),
    );
    const swapped = await page.call("POST", "/v1/settings/swap", {
      preview: lendAll,
      expectedVersion: await page.version(),
    });
    expect(swapped.status).toBe(200);
    const { settings } = swapped.body as { settings: SettingsView };
    expect(settings.bindings.every(({ source, grade }) => source === "user" && grade === "A")).toBe(true);
    expect(settings.revertibleUntil).toBeDefined();
    expect(await broker.readEnv(id, workload)).toMatchObject(mine);

    const reverted = await page.call("POST", "/v1/settings/revert", {
      expectedVersion: await page.version(),
    });
    expect(reverted.status).toBe(200);
    expect(await broker.readEnv(id, workload)).toEqual(lent);

    await page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() });
    const file = await page.call("GET", "/v1/settings/env-file?profile=next");
    expect(file.status).toBe(200);
    expect(file.headers.get("content-disposition")).toContain(".env.production");
    expect(parse(file.text)).toMatchObject(mine);
    const secrets = Object.entries(lent).filter(([name]) => /SECRET|TOKEN/.test(name));
    expect(secrets.filter(([, value]) => file.text.includes(value))).toEqual([]);
    const preview = await page.call("GET", "/v1/settings/env-file?preview=true");
    expect(Object.values(mine).filter((value) => value.length > 8 && preview.text.includes(value))).toEqual(
      [],
    );

    const finished = await page.call("POST", "/v1/settings/finish", {
      expectedVersion: await page.version(),
    });
    expect(finished.status).toBe(200);
    expect((finished.body as SettingsView).build.state).toBe("handed_off");
    expect((await broker.call("GET", `/v1/builds/${id}/env`, { token: workload })).status).toBe(401);
    const late = await broker.call("GET", `/v1/builds/${id}/env`);
    expect([late.status, error(late).code]).toEqual([409, "build_closed"]);
    expect((await broker.call("POST", `/v1/builds/${id}/tokens`, { body: {} })).status).toBe(409);
    expect((await page.call("GET", "/v1/settings/env-file")).status).toBe(200);
    expect(
      (await page.call("POST", "/v1/settings/revert", { expectedVersion: await page.version() })).status,
    ).toBe(409);

    broker.advance(25 * 3_600_000);
    await sweepExpired(broker.running().deps);
    await finishWork(broker.running().deps, id);
    const closed = (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
    expect(closed.state).toBe("closed");
    expect(await broker.running().deps.store.read.userKeys.listByBuild(id)).toEqual([]);
  });

  it("cannot finish while something lent is left", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets", "turso"] });
    const page = await openPage(broker, id);
    await page.save("app-secrets", {});
    await page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() });
    const answer = await page.call("POST", "/v1/settings/finish", { expectedVersion: await page.version() });
    expect([answer.status, error(answer).code]).toEqual([409, "not_ready"]);
    expect(details(answer).lent).toEqual(["turso"]);
  });

  it("does not go back when the window is over", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"], ttlSeconds: 604_800 });
    const page = await openPage(broker, id);
    await page.save("app-secrets", {});
    await page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() });
    broker.advance(24 * 3_600_000 + 1_000);
    const again = await openPage(broker, id, page.browser);
    const answer = await again.call("POST", "/v1/settings/revert", {
      expectedVersion: await again.version(),
    });
    expect([answer.status, error(answer).code]).toEqual([409, "not_revertible"]);
  });

  it("refuses test and live keys together, and changes nothing", async () => {
    const { id } = await broker.createBuild({ connectors: ["clerk", "stripe"] });
    const page = await openPage(broker, id);
    await page.save("clerk", await own("clerk", { mode: "live" }));
    await page.save("stripe", await own("stripe", { mode: "test" }));
    const swap = await page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() });
    expect(error(swap).code).toBe("gates_failed");
    expect((await page.settings()).bindings.every(({ source }) => source === "org")).toBe(true);
  });
});
