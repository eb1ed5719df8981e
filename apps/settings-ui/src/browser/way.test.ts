import { readFile } from "node:fs/promises";
import { findChromium } from "@keyloan/test-kit/chromium";
import type { Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addAllKeys,
  button,
  card,
  check,
  envText,
  heading,
  look,
  openBuild,
  ownValues,
  paste,
  previewAnswer,
  says,
  switchName,
  switchOver,
  toKeys,
  unfold,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

describe.skipIf(findChromium() === undefined)("the whole way", () => {
  let broker: RunningBroker;
  let browser: TestBrowser;

  beforeAll(async () => {
    [broker, browser] = await Promise.all([startBroker(), startBrowser()]);
  });
  afterAll(() => Promise.all([browser.close(), broker.close()]));

  it("leads from a link to a file with the person's own keys, and nothing of them leaves unsealed", async () => {
    const { page } = browser;
    const build = await openBuild(broker, page);
    const lent = Object.values(await broker.readEnv(build)).filter((value) => value.length > 20);
    expect(page.url()).not.toContain("klo_hnd_");
    await says(page, /^Everything you save is kept until .* at \d\d:\d\d\. .* it is deleted\.$/);
    await look(browser, "start");

    await toKeys(page);
    await says(page, /What you save is kept until .* at \d\d:\d\d\.$/);
    await look(browser, "keys-lent");
    const own = await ownValues(broker);
    await page.locator("h1").click();
    await paste(page, envText(own));
    const checking = async (route: Route) => {
      await look(browser, "keys-checking-all");
      await route.continue();
    };
    await page.route("**/settings/keys/clerk", checking, { times: 1 });
    await button(page, "Check and save all 4").click();
    await waitForState(page, "Stripe", "works");
    await card(page, "App secrets").getByText("We make new ones for you").waitFor();
    await look(browser, "keys-generated");
    await button(card(page, "App secrets"), "Make my own").click();
    await waitForState(page, "App secrets", "works");
    await look(browser, "keys-all-work");
    expect(
      await button(page, "Continue to the check").evaluate((element) => element === document.activeElement),
    ).toBe(true);
    await page.keyboard.press("Enter");

    await heading(page, "Check that everything fits");
    await says(page, "Everything fits");
    await look(browser, "check-ready");
    await button(page, "Continue").click();
    await heading(page, "Switch Acme Notes to your keys");
    await look(browser, "swap-ready");
    const switching = async (route: Route) => {
      await look(browser, "swapping");
      await route.continue();
    };
    await page.route("**/settings/swap", switching, { times: 1 });
    await button(page, switchName).click();

    await heading(page, "Download your settings");
    await says(page, /TURSO_DATABASE_URL/);
    await says(page, /You can go back until .* left\)/);
    await look(browser, "swapped");

    const downloading = page.waitForEvent("download");
    await button(page, "Download the file").click();
    const file = await readFile(await (await downloading).path(), "utf8");
    // Chromium leaves out the first dot, whatever the page and the broker say.
    expect((await downloading).suggestedFilename()).toBe("env.production");
    for (const value of Object.values(own)) expect(file).toContain(value);
    for (const value of lent) expect(file).not.toContain(value);
    await says(page, /The file should be called .env.production/);
    await look(browser, "downloaded");

    await button(page, "Finish").click();
    await page.getByRole("alertdialog").waitFor();
    await page.getByText(/^What your app stored with the lent keys is deleted/).waitFor();
    expect(await page.getByText("You have not downloaded your file yet.").count()).toBe(0);
    await look(browser, "finish-asked");
    await button(page.getByRole("alertdialog"), "Finish").click();
    await heading(page, "Acme Notes is yours");
    await look(browser, "finished");

    const secrets = Object.entries(own).filter(([name]) => /SECRET|TOKEN/.test(name));
    for (const [name, value] of secrets) {
      const leak = browser.requests.filter(({ url, body }) => url.includes(value) || body.includes(value));
      expect(leak, name).toEqual([]);
    }
    const origins = new Set(browser.requests.map(({ url }) => new URL(url).origin));
    expect([...origins].filter((origin) => origin !== broker.url && origin !== "null")).toEqual([]);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([
      0,
      0,
      "",
    ]);
    expect(browser.complaints).toEqual([]);
    // The longest way, and a picture of each of its states.
  }, 90_000);

  it("goes back to the lent keys and forward again, and shows the deadline", async () => {
    const { page } = browser;
    const build = await openBuild(broker, page);
    const before = await broker.readEnv(build);
    const own = await ownValues(broker);
    await addAllKeys(page, own);
    await switchOver(page, "Stripe");
    expect((await broker.readEnv(build)).STRIPE_SECRET_KEY).toBe(own.STRIPE_SECRET_KEY);

    await button(page, "Go back to the lent keys").click();
    await page.getByRole("alertdialog").waitFor();
    await look(browser, "revert-asked");
    await button(page.getByRole("alertdialog"), "Go back").click();
    await heading(page, "Switch Acme Notes to your keys");
    await says(page, "Your app uses the lent keys again");
    await look(browser, "reverted");
    expect((await broker.readEnv(build)).STRIPE_SECRET_KEY).toBe(before.STRIPE_SECRET_KEY);

    await previewAnswer(page, "Stripe", "Yes").check();
    await button(page, switchName).click();
    await heading(page, "Download your settings");
    expect((await broker.readEnv(build)).STRIPE_SECRET_KEY).toBe(own.STRIPE_SECRET_KEY);
  });

  it("takes new keys after the switch, and switches to them", async () => {
    const { page } = browser;
    const build = await openBuild(broker, page, { connectors: ["stripe"] });
    await toKeys(page);
    await check(page, "Stripe", await broker.createUserEnv("stripe"));
    await button(page, "Continue to the check").click();
    await switchOver(page, "Stripe");
    await page.getByRole("link", { name: /Your keys/ }).click();
    const region = await unfold(page, "Stripe");
    await look(browser, "keys-replace");
    await button(region, "Replace").click();
    const newer = await broker.createUserEnv("stripe");
    await check(page, "Stripe", newer);
    await waitForState(page, "Stripe", "works");
    await button(page, "Continue to the check").click();
    await switchOver(page);
    expect((await broker.readEnv(build)).STRIPE_SECRET_KEY).toBe(newer.STRIPE_SECRET_KEY);
  });

  it("is where it was after a reload, and keeps no typed value", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    await toKeys(page);
    await check(page, "Turso", await broker.createUserEnv("turso"));
    await waitForState(page, "Turso", "works");
    await page.locator('[name="R2_SECRET_ACCESS_KEY"]').fill("typed and not saved");
    await page.reload();
    await heading(page, "Add your own keys");
    await waitForState(page, "Turso", "works");
    await waitForState(page, "Cloudflare R2", "lent");
    expect(await page.locator('[name="R2_SECRET_ACCESS_KEY"]').inputValue()).toBe("");
  });

  it("switches a part when asked, and then waits with the file for the rest", async () => {
    const { page } = browser;
    await openBuild(broker, page, { connectors: ["turso", "stripe"] });
    await toKeys(page);
    await check(page, "Turso", await broker.createUserEnv("turso"));
    await waitForState(page, "Turso", "works");
    await button(page, "Continue to the check").click();
    await says(page, "Still lent: Stripe");
    await look(browser, "check-part");
    await button(page, "Continue").click();
    await button(page, "Switch 1 of 2 without my data").waitFor();
    await look(browser, "swap-part");
    await button(page, "Switch 1 of 2 without my data").click();
    await says(page, "You can download the file when everything is yours");
    await look(browser, "swapped-part");
    await button(page, "Add the rest").click();
    await heading(page, "Add your own keys");
    await look(browser, "keys-in-use");
  });
});
