import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFaultQueue, type Fault } from "./emulator.ts";
import { createEmulatorApp, requireBearer, serveEmulator } from "./emulator-app.ts";

const faults = createFaultQueue();
let made = 0;
const app = createEmulatorApp({ faults, errorBody: (status) => JSON.stringify({ problem: status }) });
app.use(
  "/v1/*",
  requireBearer(
    (key) => key === "right",
    () => new Response("{}", { status: 401 }),
  ),
);
app.post("/v1/things", (context) => {
  made += 1;
  return context.json({ made });
});
let server: Awaited<ReturnType<typeof serveEmulator>>;

beforeEach(async () => {
  made = 0;
  faults.clear();
  server = await serveEmulator(app, 0);
});
afterEach(() => server.close());

const post = (key = "right", signal?: AbortSignal) =>
  fetch(`${server.baseUrl}/v1/things`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    ...(signal === undefined ? {} : { signal }),
  });

describe("a stand-in", () => {
  test("carries out a request whose key it accepts", async () => {
    expect(await (await post()).json()).toEqual({ made: 1 });
  });

  test.each(["wrong", "", "right2"])("refuses the key %j", async (key) => {
    expect((await post(key)).status).toBe(401);
    expect(made).toBe(0);
  });

  test.each<[string, Fault, { status?: number; made: number }]>([
    ["a status", { kind: "status", status: 503 }, { status: 503, made: 0 }],
    ["a status after the work", { kind: "status_after", status: 404 }, { status: 404, made: 1 }],
    ["a cut", { kind: "cut" }, { made: 0 }],
    ["a cut after the work", { kind: "cut_after" }, { made: 1 }],
    ["a delay", { kind: "delay", ms: 1 }, { status: 200, made: 1 }],
  ])("does %s wrong exactly once", async (_name, fault, expected) => {
    faults.add(fault);
    const status = await post().then(
      (response) => response.status,
      () => undefined,
    );
    expect({ status, made }).toEqual({ status: expected.status, made: expected.made });
    expect(faults.size()).toBe(0);
    expect((await post()).status).toBe(200);
  });

  test("answers faults with the provider's own body, or with the marked one", async () => {
    faults.add({ kind: "status", status: 500 });
    faults.add({ kind: "status", status: 429, body: "marked", headers: { "retry-after": "7" } });
    expect(await (await post()).json()).toEqual({ problem: 500 });
    const limited = await post();
    expect([await limited.text(), limited.headers.get("retry-after")]).toEqual(["marked", "7"]);
  });

  test("matches faults by method and path, and leaves others waiting", async () => {
    faults.add({ kind: "status", status: 500, method: "GET" });
    faults.add({ kind: "status", status: 500, path: /other/ });
    expect((await post()).status).toBe(200);
    expect(faults.size()).toBe(2);
  });

  test("refuses a caller without a name, as Cloudflare's edge does", async () => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const headers = { authorization: "Bearer right" };
    const asked = request(`${server.baseUrl}/v1/things`, { method: "POST", headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on("error", reject).end();
    expect(await promise).toBe(403);
    expect(made).toBe(0);
  });

  test("ends while a request still waits", async () => {
    faults.add({ kind: "delay", ms: 60_000 });
    const waiting = post().catch(() => "ended");
    await expect.poll(() => faults.size()).toBe(0);
    await server.close();
    expect(await waiting).toBe("ended");
  });

  test("fails with the system's error when the port is taken", async () => {
    await expect(serveEmulator(app, server.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
