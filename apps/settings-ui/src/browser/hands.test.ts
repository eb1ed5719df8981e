import { findChromium } from "@keyloan/test-kit/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  button,
  card,
  envText,
  field,
  heading,
  look,
  openBuild,
  ownValues,
  paste,
  says,
  toKeys,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

describe.skipIf(findChromium() === undefined)("hands", () => {
  let broker: RunningBroker;
  let browser: TestBrowser;

  beforeAll(async () => {
    [broker, browser] = await Promise.all([startBroker(), startBrowser()]);
  });
  afterAll(() => Promise.all([browser.close(), broker.close()]));

  const focused = () => browser.page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");

  it("a whole .env pasted on any page fills the fields and lists what is not used", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    const own = await ownValues(broker);
    await page.locator("h1").click();
    const lines = {
      ...own,
      NEXT_PUBLIC_CLERK_SIGN_IN_URL: "/hello",
      MY_OWN_FLAG: "1",
      JWT_SECRET: "x".repeat(64),
    };
    await paste(
      page,
      `# my keys\n${envText(lines)}\nSTRIPE_PRICE_ID_PRO='${own.STRIPE_PRICE_ID}'\nnot a line`,
    );
    await heading(page, "Add your own keys");
    await says(page, /^Filled in \d+ fields in 4 services\.$/);
    await says(page, "1 name not used here:");
    await look(browser, "pasted");
    for (const [name, value] of Object.entries(own)) {
      expect(
        await page
          .locator(`[name="${name}"]`)
          .count()
          .then(
            (count) =>
              count === 0 ||
              field(page, name)
                .inputValue()
                .then((found) => found === value),
          ),
        name,
      ).toBe(true);
    }
    await button(page, "Check and save all 4").click();
    await waitForState(page, "Stripe", "works");
  });

  it("a file's content can be given in a box or as a file", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    await toKeys(page);
    await page.getByRole("button", { name: /^Paste a whole \.env file/ }).click();
    await page.getByLabel("The file’s content").fill("nothing of use");
    await button(page, "Fill in the fields").click();
    await says(page, "There is no line here that looks like NAME=value.");
    await look(browser, "paste-box");
    const own = await broker.createUserEnv("turso");
    await page.getByLabel("Choose a file").setInputFiles({
      name: ".env",
      mimeType: "text/plain",
      buffer: Buffer.from(`${envText(own)}\n`),
    });
    await says(page, "Filled in 2 fields in 1 service.");
    expect(await field(page, "TURSO_AUTH_TOKEN").inputValue()).toBe(own.TURSO_AUTH_TOKEN);
  });

  it("a secret is hidden until it is asked for, and can be copied and pasted by button", async () => {
    const { page } = browser;
    await openBuild(broker, page);
    await toKeys(page);
    const token = field(page, "TURSO_AUTH_TOKEN");
    await page.evaluate(() => navigator.clipboard.writeText("  'eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9'  "));
    await button(page, "Paste into Database token").click();
    await expect.poll(() => token.inputValue()).toBe("eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9");
    expect(await token.getAttribute("type")).toBe("password");
    await button(page, "Show Database token").click();
    expect(await token.getAttribute("type")).toBe("text");
    await button(page, "Hide Database token").click();
    expect(await token.getAttribute("type")).toBe("password");
    await button(page, "Copy Database token").click();
    await button(page, "Copied Database token").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9",
    );
  });

  it("the keyboard alone leads the whole way", async () => {
    const { page } = browser;
    await openBuild(broker, page, { connectors: ["turso", "app-secrets"] });
    const { TURSO_DATABASE_URL = "", TURSO_AUTH_TOKEN = "" } = await broker.createUserEnv("turso");
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const tabTo = async (text: string | RegExp) => {
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press("Tab");
        const name = await page.evaluate(() => {
          const element = document.activeElement;
          return element?.getAttribute("name") ?? element?.textContent?.trim() ?? "";
        });
        if (typeof text === "string" ? name === text : text.test(name)) return;
      }
      throw new Error(`Tab does not lead to ${text}`);
    };
    expect(await focused()).toBe("Make Acme Notes yours");
    await tabTo("Start");
    await press("Enter");
    await heading(page, "Add your own keys");
    expect(await focused()).toBe("Add your own keys");
    await tabTo("TURSO_DATABASE_URL");
    await page.keyboard.type(TURSO_DATABASE_URL);
    await press("Escape");
    expect(await card(page, "Turso").getByRole("button").first().getAttribute("aria-expanded")).toBe("false");
    expect(await focused()).toMatch(/^T?Turso/);
    await press("Enter");
    await tabTo("TURSO_AUTH_TOKEN");
    await page.keyboard.type(TURSO_AUTH_TOKEN);
    await press("Enter");
    await waitForState(page, "Turso", "works");
    await page.waitForFunction(() => document.activeElement?.textContent?.includes("App secrets"));
    await tabTo("Make my own");
    await press("Enter");
    await waitForState(page, "App secrets", "works");
    await page.waitForFunction(() => document.activeElement?.textContent === "Continue to the check");
    await press("Enter");
    await heading(page, "Check that everything fits");
    await says(page, "Everything fits");
    await tabTo("Continue");
    await press("Enter");
    await heading(page, "Switch Acme Notes to your keys");
    await tabTo("Switch without my data");
    await press("Enter");
    await heading(page, "Download your settings");
    expect(await focused()).toBe("Download your settings");
    await tabTo("Finish");
    await press("Enter");
    await page.getByRole("alertdialog").waitFor();
    await press("Escape");
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    expect(await focused()).toBe("Finish");
    await press("Enter");
    await page.getByRole("alertdialog").waitFor();
    await tabTo("Finish");
    await press("Enter");
    await heading(page, "Acme Notes is yours");
  });

  it("nothing moves for people who asked for less motion", async () => {
    const { page } = browser;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await openBuild(broker, page);
    await toKeys(page);
    const moving = await page.evaluate(
      () =>
        [...document.querySelectorAll("*")].filter((element) => {
          const { transitionDuration, animationDuration } = getComputedStyle(element);
          return [transitionDuration, animationDuration].some((list) =>
            list.split(", ").some((time) => time !== "0s"),
          );
        }).length,
    );
    expect(moving).toBe(0);
  });

  it("a check is read out once", async () => {
    const { page } = browser;
    await openBuild(broker, page, { connectors: ["turso"] });
    await toKeys(page);
    const own = await broker.createUserEnv("turso");
    for (const [name, value] of Object.entries(own)) await field(page, name).fill(value);
    await page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(globalThis, { heard });
      const region = document.querySelector('[role="status"].sr-only');
      if (region !== null)
        new MutationObserver(() => heard.push(region.textContent ?? "")).observe(region, {
          childList: true,
          subtree: true,
          characterData: true,
        });
    });
    await page.keyboard.press("Enter");
    await waitForState(page, "Turso", "works");
    const heard = await page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
    expect(heard.filter((text) => text.startsWith("Turso: works."))).toHaveLength(1);
  });
});
