import type { BuildView, Handoff } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
import { savedBuild, switchAll } from "../../testing/saved-build.ts";

let broker: TestBroker;
beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
});
afterAll(() => broker.close());

describe("what the settings tell of the build's own time", () => {
  it("says until when the build is kept: its expiry, its longest life, the time to go back", async () => {
    const { id, page } = await savedBuild(broker);
    const { expiresAt, renewableUntil } = (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
    expect((await page.settings()).build.keptUntil).toBe(expiresAt);
    await switchAll(page);
    expect((await page.settings()).build.keptUntil).toBe(renewableUntil);
    expect((await page.change("POST", "/v1/settings/finish")).status).toBe(200);
    const { build, revertibleUntil } = await page.settings();
    expect(build.keptUntil).toBe(revertibleUntil);
  });

  it("says whether the whole file was downloaded since the switch", async () => {
    const { page } = await savedBuild(broker);
    await switchAll(page);
    await page.call("GET", "/v1/settings/env-file?preview=true");
    expect(await page.settings()).not.toHaveProperty("downloadedAt");
    expect((await page.call("GET", "/v1/settings/env-file")).status).toBe(200);
    expect((await page.settings()).downloadedAt).toEqual(expect.any(String));
    expect((await page.change("POST", "/v1/settings/revert")).status).toBe(200);
    expect(await page.settings()).not.toHaveProperty("downloadedAt");
  });

  it("a link says when it opens for nobody but the person", async () => {
    const { id, page } = await savedBuild(broker);
    const link = async () => (await broker.call("POST", `/v1/builds/${id}/handoff`, {})).body as Handoff;
    expect(await link()).not.toHaveProperty("personOnly");
    await switchAll(page);
    expect((await page.change("POST", "/v1/settings/finish")).status).toBe(200);
    expect(await link()).toMatchObject({ personOnly: true });
  });
});
