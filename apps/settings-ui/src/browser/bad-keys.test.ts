import { findChromium } from "@keyloan/test-kit/chromium";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
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
  paste,
  says,
  switchName,
  toKeys,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

/** The same key with another end: its shape is right, and nobody knows it. */
const unknown = (key = "") => `${key.slice(0, -4)}${key.endsWith("aaaa") ? "bbbb" : "aaaa"}`;

describe.skipIf(findChromium() === undefined)("keys that are not right", () => {
  let broker: RunningBroker;
  let browser: TestBrowser;
  let build: string;

  beforeAll(async () => {
    [broker, browser] = await Promise.all([startBroker(), startBrowser()]);
  });
  beforeEach(async () => {
    build = await openBuild(broker, browser.page);
    await toKeys(browser.page);
  });
  afterAll(() => Promise.all([browser.close(), broker.close()]));

  const summary = (label: string) => card(browser.page, label).getByRole("group").first();

  it("a key that the service refuses: says so, points at the field, saves nothing", async () => {
    const { page } = browser;
    const own = await broker.createUserEnv("stripe");
    await check(page, "Stripe", { ...own, STRIPE_SECRET_KEY: unknown(own.STRIPE_SECRET_KEY) });
    await waitForState(page, "Stripe", "needs_you");
    await summary("Stripe").getByText("Stripe does not accept this").waitFor();
    expect(await summary("Stripe").evaluate((box) => box === document.activeElement)).toBe(true);
    await look(browser, "key-wrong");
    await summary("Stripe").getByRole("link").first().click();
    expect(await field(page, "STRIPE_SECRET_KEY").evaluate((box) => box === document.activeElement)).toBe(
      true,
    );
    expect(await field(page, "STRIPE_SECRET_KEY").getAttribute("aria-invalid")).toBe("true");
    await page.reload();
    await waitForState(page, "Stripe", "lent");
  });

  it("two halves of two accounts: says that they do not belong together", async () => {
    const { page } = browser;
    await check(page, "Clerk", await broker.createUserEnv("clerk", { kind: "wrong-pair" }));
    await summary("Clerk").getByText("These keys do not belong together").waitFor();
    await look(browser, "key-wrong-pair");
  });

  it("the key we lent: is recognised and refused", async () => {
    const { page } = browser;
    const { STRIPE_SECRET_KEY = "", STRIPE_PUBLISHABLE_KEY = "" } = await broker.readEnv(build);
    await check(page, "Stripe", { STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY });
    await summary("Stripe").getByText("This is the key we lent you", { exact: true }).waitFor();
    await look(browser, "key-ours");
  });

  it("nothing typed: lists every field that is missing, each with a link to it", async () => {
    const { page } = browser;
    await button(card(page, "Turso"), "Check and save").click();
    expect(await summary("Turso").getByRole("link").allInnerTexts()).toEqual([
      "Enter the database URL.",
      "Enter the database token.",
    ]);
    await look(browser, "key-missing");
    await field(page, "TURSO_DATABASE_URL").fill("libsql://notes.example.com");
    expect(await summary("Turso").getByRole("link").allInnerTexts()).toEqual(["Enter the database token."]);
  });

  it("two keys in each other's field: fixed, and told", async () => {
    const { page } = browser;
    const { CLERK_SECRET_KEY = "", CLERK_PUBLISHABLE_KEY = "" } = await broker.createUserEnv("clerk");
    await check(page, "Clerk", {
      CLERK_SECRET_KEY: CLERK_PUBLISHABLE_KEY,
      CLERK_PUBLISHABLE_KEY: CLERK_SECRET_KEY,
    });
    await waitForState(page, "Clerk", "works");
    await card(page, "Clerk").getByRole("button").first().click();
    await card(page, "Clerk")
      .getByText(/were swapped/)
      .waitFor();
    await look(browser, "key-repaired");
  });

  it("a value with quotes or as a whole line: fixed while it is pasted, and told", async () => {
    const { page } = browser;
    const { TURSO_DATABASE_URL = "", TURSO_AUTH_TOKEN = "" } = await broker.createUserEnv("turso");
    await field(page, "TURSO_DATABASE_URL").focus();
    await paste(page, `  "${TURSO_DATABASE_URL}"\n`);
    expect(await field(page, "TURSO_DATABASE_URL").inputValue()).toBe(TURSO_DATABASE_URL);
    await card(page, "Turso").getByText("Quotes around the value were removed.").waitFor();
    await field(page, "TURSO_AUTH_TOKEN").focus();
    await paste(page, `export TURSO_AUTH_TOKEN=${TURSO_AUTH_TOKEN}`);
    expect(await field(page, "TURSO_AUTH_TOKEN").inputValue()).toBe(TURSO_AUTH_TOKEN);
    await page.keyboard.press("Enter");
    await waitForState(page, "Turso", "works");
  });

  it("a key that lacks a permission for some things: works, and says what it cannot do and where to fix it", async () => {
    const { page } = browser;
    await check(page, "Stripe", await broker.createUserEnv("stripe", { kind: "limited" }));
    await waitForState(page, "Stripe", "works");
    await card(page, "Stripe").getByRole("button").first().click();
    await card(page, "Stripe")
      .getByText(/^Cannot /)
      .first()
      .waitFor();
    expect(
      await card(page, "Stripe")
        .getByRole("link", { name: /Open the key/ })
        .count(),
    ).toBeGreaterThan(0);
    await look(browser, "key-limited");
  });

  it("a key that may do more than it must: works, and warns", async () => {
    const { page } = browser;
    await check(page, "Cloudflare R2", await broker.createUserEnv("r2", { kind: "wide" }));
    await waitForState(page, "Cloudflare R2", "works");
    await card(page, "Cloudflare R2").getByRole("button").first().click();
    await look(browser, "key-wide");
  });

  it("keys that do not fit together: the check names them and leads to the field; the switch refuses", async () => {
    const { page } = browser;
    const test = await broker.createUserEnv("clerk", { mode: "test" });
    await openLink(page, await broker.createLink(build));
    await addAllKeys(page, { ...(await ownValues(broker)), ...test });
    await says(page, "Not ready to switch yet");
    await look(browser, "check-refused");

    await page
      .getByRole("navigation", { name: "Steps" })
      .getByRole("link", { name: /Switch/ })
      .click();
    await heading(page, "Switch Acme Notes to your keys");
    await button(page, switchName).click();
    await says(page, "Nothing was changed");
    await look(browser, "swap-refused");
    expect((await broker.readEnv(build)).CLERK_SECRET_KEY).not.toBe(test.CLERK_SECRET_KEY);

    await page
      .getByRole("button", { name: /^Go to / })
      .first()
      .click();
    await heading(page, "Add your own keys");
    const label = await page.locator('section button[aria-expanded="true"]').first().textContent();
    expect(label).toMatch(/Clerk|Stripe/);
  });
});
