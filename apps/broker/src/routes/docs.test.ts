import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterAll(() => broker.close());

describe("the API's documents", () => {
  it("name every route, its callers and its errors, without script or foreign address", async () => {
    const page = await broker.call("GET", "/docs", { token: null });
    const { paths } = (await broker.call("GET", "/openapi.json", { token: null })).body as { paths: object };
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    for (const path of Object.keys(paths)) expect(page.text).toContain(`<code>${path}</code>`);
    expect(page.text).toContain("a platform token with builds:write");
    expect(page.text).toContain("For the build&#39;s person");
    expect(page.text).not.toContain("For .");
    expect(page.text).toContain("The answer may take 3600 seconds.");
    expect(page.text).toContain("{&quot;overlapSeconds&quot;:300,&quot;reason&quot;:&quot;leak&quot;}");
    expect(page.text).toContain('id="error-idempotency_conflict"');
    expect(page.text).not.toMatch(/<script|https?:\/\/(?!127\.0\.0\.1)/);
  });

  it.each(["/openapi.json", "/docs"])("are not sent again to whoever has them: %s", async (path) => {
    const ask = (headers = {}) => broker.call("GET", path, { token: null, headers });
    const first = await ask();
    const etag = first.headers.get("etag") ?? "none";
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await ask({ "if-none-match": known });
      expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", etag]);
    }
    expect((await ask({ "if-none-match": '"other"' })).text).toBe(first.text);
  });

  it("link only to what is on the page", async () => {
    const { text } = await broker.call("GET", "/docs", { token: null });
    const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target);
    expect(targets.length).toBeGreaterThan(20);
    expect(targets.filter((target) => !text.includes(`id="${target}"`))).toEqual([]);
  });

  it("describe schemas that other readers understand", async () => {
    const { text } = await broker.call("GET", "/openapi.json", { token: null });
    // A flag or a Unicode class in a pattern means something else, or nothing, outside JavaScript.
    expect(text).not.toMatch(/"pattern":"[^"]*(?:\\\\p\{|\/[a-z]")/);
  });
});
