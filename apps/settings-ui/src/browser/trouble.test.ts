import { findChromium } from "@keyloan/test-kit/chromium";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  addAllKeys,
  button,
  card,
  check,
  field,
  heading,
  look,
  openBuild,
  openLink,
  ownValues,
  says,
  saysNoMore,
  switchName,
  toKeys,
  type,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

describe.skipIf(findChromium() === undefined)("when something is in the way", () => {
  let broker: RunningBroker;
  let browser: TestBrowser;

  beforeAll(async () => {
    [broker, browser] = await Promise.all([startBroker(), startBrowser()]);
  });
  afterEach(async () => {
    await broker.clearFaults();
    await browser.context.setOffline(false);
  });
  afterAll(() => Promise.all([browser.close(), broker.close()]));

  it("a service that is down: the keys are saved, the page asks again by itself, and then they work", async () => {
    const { page } = browser;
    await page.clock.install();
    await openBuild(broker, page, { connectors: ["clerk", "app-secrets"] });
    await toKeys(page);
    await broker.addFault("clerk", { kind: "status", status: 503 }, 50);
    await check(page, "Clerk", await broker.createUserEnv("clerk"));
    await says(page, /We could not reach Clerk right now|Clerk did not answer/);
    await waitForState(page, "Clerk", "not_checked");
    await says(page, /We try again in \d+ s/);
    await look(browser, "key-undetermined");
    await button(page, "Continue to the check").click();
    await says(page, "Waiting for an answer");
    await look(browser, "check-undetermined");
    await broker.clearFaults();
    await page.clock.fastForward(120_000);
    await says(page, "Everything fits");
    await page.clock.resume();
  });

  it("a slow service: the wait is told, and can be stopped without anything saved", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    await toKeys(page);
    await broker.addFault("stripe", { kind: "delay", ms: 20_000 }, 50);
    await check(page, "Stripe", await broker.createUserEnv("stripe"));
    await waitForState(page, "Stripe", "checking");
    await says(page, "Asking Stripe…");
    await look(browser, "key-checking");
    await button(card(page, "Stripe"), "Stop").click();
    await waitForState(page, "Stripe", "not_checked");
    expect(await field(page, "STRIPE_SECRET_KEY").inputValue()).toMatch(/^rk_live_/);
    await page.reload();
    await waitForState(page, "Stripe", "lent");
  });

  it("no network: what was typed stays, and it goes on when the network is back", async () => {
    const { page, context } = browser;
    await openBuild(broker, page);
    await toKeys(page);
    await type(page, "Turso", await broker.createUserEnv("turso"));
    await context.setOffline(true);
    await says(page, "You are offline");
    await button(card(page, "Turso"), "Check and save").click();
    await says(page, /so nothing was sent/);
    await look(browser, "offline");
    await context.setOffline(false);
    await saysNoMore(page, "You are offline");
    await button(card(page, "Turso"), "Check and save").click();
    await waitForState(page, "Turso", "works");
  });

  it("no broker: the page says so and tries again when asked", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    await toKeys(page);
    await type(page, "Turso", await broker.createUserEnv("turso"));
    await page.route("**/v1/**", (route) => route.abort());
    await button(card(page, "Turso"), "Check and save").click();
    await says(page, "We cannot reach Keyloan right now");
    await look(browser, "unreachable");
    await page.unroute("**/v1/**");
    await button(page, "Try again").click();
    await saysNoMore(page, "We cannot reach Keyloan right now");
  });

  it("no broker at the first moment: the link is not lost", async () => {
    const { page } = browser;
    const build = await broker.createBuild({ name: "Acme Notes" });
    const link = await broker.createLink(build);
    await page.route("**/v1/**", (route) => route.abort());
    await openLink(page, link);
    await heading(page, "We could not open this page");
    await look(browser, "not-opened");
    await page.unroute("**/v1/**");
    await button(page, "Try again").click();
    await heading(page, "Make Acme Notes yours");
  });

  it("a second tab: neither overwrites the other, and the new state is shown", async () => {
    const { page, context } = browser;
    await openBuild(broker, page);
    await toKeys(page);
    const other = await context.newPage();
    await other.goto(page.url());
    await check(other, "Turso", await broker.createUserEnv("turso"));
    await waitForState(other, "Turso", "works");
    const stripe = await broker.createUserEnv("stripe");
    await check(page, "Stripe", stripe);
    await says(page, "Changed in another tab");
    await waitForState(page, "Turso", "works");
    expect(await field(page, "STRIPE_SECRET_KEY").inputValue()).toBe(stripe.STRIPE_SECRET_KEY);
    await page.bringToFront();
    await look(browser, "second-tab");
    await button(page, "Understood").click();
    await button(card(page, "Stripe"), "Check and save").click();
    await waitForState(page, "Stripe", "works");
    await other.close();
  });

  it("two tabs at the switch: the second learns that it is done", async () => {
    const { page, context } = browser;
    await openBuild(broker, page);
    await addAllKeys(page, await ownValues(broker));
    await button(page, "Continue").click();
    const other = await context.newPage();
    await other.goto(page.url());
    await button(other, switchName).click();
    await heading(other, "Download your settings");
    await other.close();
    await button(page, switchName).click();
    await heading(page, "Download your settings");
    await says(page, "Changed in another tab");
  });

  it("the way back is closed when its time is over", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    await addAllKeys(page, await ownValues(broker));
    await button(page, "Continue").click();
    await button(page, switchName).click();
    await heading(page, "Download your settings");
    await page.route("**/v1/**", async (route) => {
      const response = await route.fetch();
      const later = new Date(Date.now() + 25 * 3_600_000).toUTCString();
      await route.fulfill({ response, headers: { ...response.headers(), date: later } });
    });
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await says(page, /^The time for going back is over/);
    expect(await button(page, "Go back to the lent keys").count()).toBe(0);
    await look(browser, "revert-over");
    await page.unroute("**/v1/**");
  });

  it("a computer whose clock is wrong: deadlines are the broker's", async () => {
    const { page } = browser;
    await page.clock.setFixedTime(Date.now() + 30 * 24 * 3_600_000);
    await openBuild(broker, page, { connectors: ["app-secrets"] });
    await toKeys(page);
    await button(card(page, "App secrets"), "Make my own").click();
    await button(page, "Continue to the check").click();
    await button(page, "Continue").click();
    await button(page, switchName).click();
    await says(page, /\(2[34] h \d\d min left\)/);
    await page.clock.resume();
  });
});
