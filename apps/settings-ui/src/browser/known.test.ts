import { findChromium } from "@keyloan/test-kit/chromium";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  button,
  card,
  heading,
  look,
  openLink,
  says,
  switchName,
  toKeys,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

describe.skipIf(findChromium() === undefined)("a browser that is known", () => {
  let broker: RunningBroker;
  let browser: TestBrowser;

  beforeAll(async () => {
    [broker, browser] = await Promise.all([startBroker(), startBrowser()]);
  });
  beforeEach(() => browser.context.clearCookies());
  afterAll(() => Promise.all([browser.close(), broker.close()]));

  const save = async (name: string, page = browser.page) => {
    const build = await broker.createBuild({ name, connectors: ["app-secrets"] });
    await openLink(page, await broker.createLink(build));
    await heading(page, `Make ${name} yours`);
    await toKeys(page);
    await button(card(page, "App secrets"), "Make my own").click();
    await waitForState(page, "App secrets", "works");
    return build;
  };
  const endVisits = () => browser.context.clearCookies({ name: /keyloan_session/ });
  const dialog = (page: Page) => page.getByRole("alertdialog");
  const code = async () =>
    (await browser.page
      .getByText(/^klo_rec_/)
      .first()
      .textContent()) ?? "";
  const finish = async () => {
    const { page } = browser;
    await button(page, "Continue to the check").click();
    await says(page, "Everything fits");
    await button(page, "Continue").click();
    await button(page, switchName).click();
    await heading(page, "Download your settings");
    await says(page, "Make sure you can come back");
    await look(browser, "before-finish");
    await button(page, "Finish").click();
    await dialog(page)
      .getByText(
        /Nobody can open this page again without this browser or your recovery code\. We cannot either/,
      )
      .waitFor();
    await button(dialog(page), "Finish").click();
    await heading(page, "Acme Notes is yours");
  };

  it("opens the one app that it is known for without a link", async () => {
    const { page } = browser;
    const build = await save("Acme Notes");
    await endVisits();
    await page.goto(`${broker.url}/settings`);
    await heading(page, "Check that everything fits");
    expect(new URL(page.url()).searchParams.get("build")).toBe(build);
  });

  it("is known for every app that was saved in it, also in three tabs at once", async () => {
    const { page, context } = browser;
    const names = ["Acme Notes", "Beta Chat", "Gamma Shop"];
    const tabs = await Promise.all(names.map(() => context.newPage()));
    // An answer that comes late would bring back a cookie that another has replaced.
    await tabs[0]?.route("**/v1/settings/keys/**", async (route) => {
      const response = await route.fetch();
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await route.fulfill({ response });
    });
    await Promise.all(names.map((name, at) => save(name, tabs[at])));
    await Promise.all(tabs.map((tab) => tab.close()));
    await endVisits();
    await page.goto(`${broker.url}/settings`);
    for (const name of names) await says(page, name);
  });

  it("asks which, when it is known for several, and shows two of them side by side", async () => {
    const { page, context } = browser;
    await save("Acme Notes");
    const second = await context.newPage();
    const shop = await save("Beta Shop", second);
    await button(page, "Continue to the check").click();
    await heading(page, "Check that everything fits");
    await page.reload();
    await heading(page, "Check that everything fits");
    expect(await page.getByText("Acme Notes").count()).toBeGreaterThan(0);
    await second.reload();
    await waitForState(second, "App secrets", "works");
    expect(new URL(second.url()).searchParams.get("build")).toBe(shop);
    await second.close();

    await endVisits();
    await page.goto(`${broker.url}/settings`);
    await heading(page, "Which app do you want to open?");
    await look(browser, "known-builds");
    await button(page, "Open Beta Shop").click();
    await heading(page, "Check that everything fits");
    expect(new URL(page.url()).searchParams.get("build")).toBe(shop);
  });

  it("opens again from the page that tells the end of a visit", async () => {
    const { page } = browser;
    await save("Acme Notes");
    await broker.advance(61 * 60_000);
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await heading(page, "Your visit has ended");
    await says(page, "This browser can still open");
    await look(browser, "session-ended-known");
    await button(page, "Open Acme Notes").click();
    await waitForState(page, "App secrets", "works");
  });

  it("leaving offers to forget the person, who then needs the code", async () => {
    const { page } = browser;
    const build = await save("Acme Notes");
    const kept = await code();
    await button(page, "Leave this page").click();
    await dialog(page)
      .getByText(/^Everything you saved is kept until .* at \d\d:\d\d\./)
      .waitFor();
    await look(browser, "leave-asked");
    await button(dialog(page), "Leave").click();
    await heading(page, "You have left this page");
    await look(browser, "left-known");
    await button(page, "Open Acme Notes").click();
    await waitForState(page, "App secrets", "works");

    await button(page, "Leave this page").click();
    await page.getByLabel("Forget me on this browser").check();
    await button(dialog(page), "Leave").click();
    await heading(page, "You have left this page");
    expect(await button(page, /^Open Acme/).count()).toBe(0);
    await says(page, /A new link will not let you in\.$/);
    expect(await page.getByRole("link", { name: "Open the settings page" }).count()).toBe(0);
    await look(browser, "forgotten");
    await openLink(page, await broker.createLink(build));
    await heading(page, "Keys for Acme Notes are already saved");
    await page.getByRole("textbox", { name: "Recovery code" }).fill(kept);
    await button(page, "Open with this code").click();
    await heading(page, "Check that everything fits");
  });

  it("after the finish a link opens nothing for others and is not used up; the code opens it", async () => {
    const { page } = browser;
    const build = await save("Acme Notes");
    const kept = await code();
    const link = await broker.createLink(build);
    await finish();
    await browser.context.clearCookies();
    await openLink(page, link);
    await heading(page, "Only the person who saved the keys can open this");
    await look(browser, "person-only");
    await page.getByRole("textbox", { name: "Recovery code" }).fill(kept);
    await page.keyboard.press("Enter");
    await heading(page, "Acme Notes is yours");
    await page.reload();
    await heading(page, "Acme Notes is yours");
  });
});
