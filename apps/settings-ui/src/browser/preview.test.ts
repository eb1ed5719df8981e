import type { SettingsView } from "@keyloan/contract";
import { findChromium } from "@keyloan/test-kit/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  button,
  check,
  heading,
  look,
  openBuild,
  previewAnswer,
  says,
  switchName,
  toKeys,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

const hour = 3_600_000;

describe.skipIf(findChromium() === undefined)("what the preview may use", () => {
  let broker: RunningBroker;
  let browser: TestBrowser;

  beforeAll(async () => {
    [broker, browser] = await Promise.all([startBroker(), startBrowser()]);
  });
  afterAll(() => Promise.all([browser.close(), broker.close()]));

  const toSwitch = async (modes: Readonly<Record<string, "test" | "live">>) => {
    const { page } = browser;
    const build = await openBuild(broker, page, { connectors: Object.keys(modes) });
    await toKeys(page);
    for (const [connector, mode] of Object.entries(modes)) {
      const label = connector === "clerk" ? "Clerk" : "Stripe";
      await check(page, label, await broker.createUserEnv(connector, { mode }));
      await waitForState(page, label, "works");
    }
    await button(page, "Continue to the check").click();
    await heading(page, "Check that everything fits");
    await button(page, "Continue").click();
    await heading(page, "Switch Acme Notes to your keys");
    return build;
  };

  it("test keys start at yes and live ones at no; each answer says what it means", async () => {
    const { page } = browser;
    await toSwitch({ stripe: "live" });
    await says(page, "May the app builder’s preview use your keys until you finish?");
    expect(await previewAnswer(page, "Stripe", "No").isChecked()).toBe(true);
    await says(page, /Yes: the preview uses your live keys in your account/);
    await says(page, "No: the preview does not get your live keys. It keeps the lent ones.");
    await says(page, /Choosing No cannot undo what the preview has already read\.$/);
    await says(page, "The app builder’s preview does not get your keys.");
    await look(browser, "preview-choice-live");
    await toSwitch({ stripe: "test" });
    expect(await previewAnswer(page, "Stripe", "Yes").isChecked()).toBe(true);
    await says(page, "The app builder’s preview may use your keys for Stripe.");
    await previewAnswer(page, "Stripe", "Yes").focus();
    await page.keyboard.press("ArrowRight");
    expect(await previewAnswer(page, "Stripe", "No").isChecked()).toBe(true);
  });

  it("the answer holds, is changed after the switch, and tells what was read", async () => {
    const { page } = browser;
    const build = await toSwitch({ stripe: "live" });
    const lent = (await broker.readEnv(build)).STRIPE_SECRET_KEY;
    await button(page, switchName).click();
    await heading(page, "Download your settings");
    await says(page, "Not read yet.");
    expect((await broker.readEnv(build)).STRIPE_SECRET_KEY).toBe(lent);
    await previewAnswer(page, "Stripe", "Yes").check();
    await expect.poll(async () => (await broker.readEnv(build)).STRIPE_SECRET_KEY).not.toBe(lent);
    await page.reload();
    await says(page, /^Read once, last today at \d\d:\d\d\.$/);
    expect(await previewAnswer(page, "Stripe", "Yes").isChecked()).toBe(true);
    await look(browser, "preview-panel");
    await previewAnswer(page, "Stripe", "No").check();
    await expect.poll(async () => (await broker.readEnv(build)).STRIPE_SECRET_KEY).toBe(lent);
  });

  it("a switch from before the question counts as yes, and the page says so", async () => {
    const { page } = browser;
    await toSwitch({ stripe: "test" });
    await button(page, switchName).click();
    await heading(page, "Download your settings");
    await page.route("**/v1/settings", async (route) => {
      const response = await route.fetch();
      const settings: SettingsView = await response.json();
      const bindings = settings.bindings.map((binding) => ({
        ...binding,
        preview: { allowed: true, asked: false, reads: 7 },
      }));
      await route.fulfill({ response, json: { ...settings, bindings } });
    });
    await page.reload();
    await says(page, "You switched before this page asked the question, which counts as yes. Read 7 times.");
    await look(browser, "preview-not-asked");
    await page.unroute("**/v1/settings");
  });

  it("an operator who goes back gives a reason, and the page shows it", async () => {
    const { page } = browser;
    const build = await toSwitch({ stripe: "live" });
    await button(page, switchName).click();
    await heading(page, "Download your settings");
    expect(await broker.revert(build, "The new key was refused by every customer’s bank.")).toBeLessThan(300);
    await page.reload();
    await says(page, "The people who run this page switched your app back");
    await says(page, "The new key was refused by every customer’s bank.");
    await look(browser, "admin-reverted");
  });

  it("lending ends by itself, and the file can still be downloaded", async () => {
    const { page } = browser;
    await toSwitch({ stripe: "live" });
    await button(page, switchName).click();
    await heading(page, "Download your settings");
    await says(
      page,
      /If you do not, the lent keys end automatically (?:today at|on \w+ \d+ \w+ at) \d\d:\d\d\.$/,
    );
    await broker.advance(25 * hour);
    await broker.runWork("lending-end");
    await page.goto(`${broker.url}/settings?${new URL(page.url()).searchParams}`);
    await heading(page, "Download your settings");
    await says(page, "The lent keys have ended");
    expect(await button(page, "Go back to the lent keys").count()).toBe(0);
    await look(browser, "lending-ended");
    const downloading = page.waitForEvent("download");
    await button(page, "Download the file").click();
    await downloading;
  });
});
