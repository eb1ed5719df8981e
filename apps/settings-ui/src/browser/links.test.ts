import { findChromium } from "@keyloan/test-kit/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  buildHeader,
  button,
  card,
  check,
  field,
  heading,
  look,
  openBuild,
  openLink,
  says,
  toKeys,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

const minute = 60_000;

describe.skipIf(findChromium() === undefined)("links and visits", () => {
  let broker: RunningBroker;
  let browser: TestBrowser;

  beforeAll(async () => {
    [broker, browser] = await Promise.all([startBroker(), startBrowser()]);
  });
  afterAll(() => Promise.all([browser.close(), broker.close()]));

  const newLink = async (body = {}) => {
    const build = await broker.createBuild({ name: "Acme Notes" });
    return { build, link: await broker.createLink(build, body) };
  };

  it("no link: the page says where one comes from", async () => {
    await browser.context.clearCookies();
    await browser.page.goto(`${broker.url}/settings`);
    await heading(browser.page, "This browser cannot open any app yet");
    await look(browser, "no-link");
  });

  it("a link opened before: refused, and nothing of the app is shown", async () => {
    const { page } = browser;
    const { link } = await newLink();
    await openLink(page, link);
    await heading(page, "Make Acme Notes yours");
    await browser.context.clearCookies();
    await openLink(page, link);
    await heading(page, "This link was already opened");
    expect(await page.getByText("Acme Notes").count()).toBe(0);
    await says(page, /^If you saved keys in this browser, open the settings page/);
    await look(browser, "link-used");
    await page.getByRole("link", { name: "Open the settings page" }).click();
    await heading(page, "This browser cannot open any app yet");
  });

  it("the same link again in the same browser: leads on to the visit that is still open", async () => {
    const { page } = browser;
    const { link } = await newLink();
    await openLink(page, link);
    await heading(page, "Make Acme Notes yours");
    await openLink(page, link);
    await heading(page, "This link was already opened");
    await look(browser, "link-used-here");
    await button(page, "Continue with Acme Notes").click();
    await heading(page, "Make Acme Notes yours");
  });

  it("a link that waited too long: expired, with the way to a new one", async () => {
    const { page } = browser;
    const { link } = await newLink({ ttlSeconds: 60 });
    await broker.advance(2 * minute);
    await openLink(page, link);
    await heading(page, "This link has expired");
    await look(browser, "link-expired");
  });

  it("a link that was cut: incomplete", async () => {
    const { page } = browser;
    const { link } = await newLink();
    await openLink(page, link.slice(0, -9));
    await heading(page, "This link is incomplete");
    expect(page.url()).not.toContain("code=");
    await look(browser, "link-broken");
  });

  it("a new link in a tab that is open: opens the other app", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    const other = await broker.createBuild({ name: "Beta Shop" });
    await page.evaluate(
      (hash) => {
        location.hash = hash;
      },
      new URL(await broker.createLink(other)).hash,
    );
    await button(page, "Open my settings").click();
    await heading(page, "Make Beta Shop yours");
    expect(page.url()).not.toContain("code=");
  });

  it("a visit without use for an hour: ended at the next step, what was saved is kept", async () => {
    const { page } = browser;
    const build = await openBuild(broker, page);
    await toKeys(page);
    await check(page, "Turso", await broker.createUserEnv("turso"));
    await waitForState(page, "Turso", "works");
    await field(page, "R2_BUCKET").fill("typed");
    await broker.advance(61 * minute);
    await button(card(page, "Cloudflare R2"), "Check and save").click();
    await field(page, "R2_ENDPOINT").fill("https://r2.example.com");
    await field(page, "R2_ACCESS_KEY_ID").fill("0123456789abcdef0123456789abcdef");
    await field(page, "R2_SECRET_ACCESS_KEY").fill("0".repeat(64));
    await page.keyboard.press("Enter");
    await heading(page, "Your visit has ended");
    await says(page, /The people who run this page can end it sooner/);
    await look(browser, "session-ended");
    await openLink(page, await broker.createLink(build));
    await heading(page, "Add your own keys");
    await waitForState(page, "Turso", "works");
  });

  it("an end that is near: told in time", async () => {
    const { page } = browser;
    await page.clock.install();
    await openBuild(broker, page);
    const end = await page.evaluate(
      async (headers) => (await (await fetch("/v1/settings", { headers })).json()).session.expiresAt,
      buildHeader(page),
    );
    await page.clock.fastForward(Date.parse(end) - Date.now() - 4 * minute);
    await says(page, /This visit ends in/);
    await look(browser, "session-ending");
    await page.clock.resume();
  });

  it("leaving: ends the visit in this browser", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    await button(page, "Leave this page").click();
    await heading(page, "You have left this page");
    await look(browser, "left");
    await page.reload();
    await heading(page, "This browser cannot open any app yet");
  });

  it("an app that was closed: its visit ends, and its link opens nothing", async () => {
    const { page } = browser;
    const build = await openBuild(broker, page);
    await toKeys(page);
    const link = await broker.createLink(build);
    expect(await broker.closeBuild(build)).toBe(200);
    await check(page, "Turso", await broker.createUserEnv("turso"));
    await heading(page, "Your visit has ended");
    await openLink(page, link);
    await heading(page, "This link has expired");
  });
});
