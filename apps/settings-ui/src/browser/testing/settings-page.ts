import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { type RunningBroker, services } from "./start-broker.ts";
import type { TestBrowser } from "./start-browser.ts";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Opens a new build's page with a new link, and gives the build. */
export async function openBuild(
  broker: RunningBroker,
  page: Page,
  body: Record<string, unknown> = {},
): Promise<string> {
  const build = await broker.createBuild({ name: "Acme Notes", ...body });
  await openLink(page, await broker.createLink(build));
  await heading(page, "Make Acme Notes yours");
  return build;
}

/** Follows a link and spends it with the page's button. */
export async function openLink(page: Page, link: string): Promise<void> {
  // The same page with another fragment would be no new visit.
  await page.goto("about:blank");
  await page.goto(link);
  await button(page, "Open my settings").click();
}

/** What a call of a test's own must name beside the cookie. */
export const buildHeader = (page: Page) => ({
  "x-keyloan-build": new URL(page.url()).searchParams.get("build") ?? "",
});

/** Waits for the page's title. */
export async function heading(page: Page, name: string | RegExp): Promise<Locator> {
  const found = page.getByRole("heading", { level: 1, name });
  await found.waitFor();
  return found;
}

export const button = (page: Page | Locator, name: string | RegExp) =>
  page.getByRole("button", { name, exact: true });
export const card = (page: Page, label: string) => page.getByRole("region", { name: label, exact: true });
export const pill = (page: Page, label: string) => card(page, label).locator("[data-state]");
export const field = (page: Page, name: string) => page.locator(`[name="${name}"]`);

/** Waits for words on the page itself, not those that are only read out. */
export const says = (page: Page, text: string | RegExp) =>
  page.getByRole("main").getByText(text, { exact: true }).first().waitFor();
/** Waits until words are gone again. */
export const saysNoMore = (page: Page, text: string) =>
  page.getByRole("main").getByText(text, { exact: true }).waitFor({ state: "detached" });

export async function toKeys(page: Page): Promise<void> {
  await button(page, "Start").click();
  await heading(page, "Add your own keys");
}

/** Unfolds a card unless it is unfolded. */
export async function unfold(page: Page, label: string): Promise<Locator> {
  const region = card(page, label);
  const header = region.getByRole("button").first();
  if ((await header.getAttribute("aria-expanded")) !== "true") await header.click();
  return region;
}

/** Types values into the fields of a card, whether they are folded away or not. */
export async function type(page: Page, label: string, values: Record<string, string>): Promise<void> {
  const region = await unfold(page, label);
  const more = region.getByRole("button", { name: /^More settings/ });
  for (const [name, value] of Object.entries(values)) {
    if ((await field(page, name).count()) === 0) await more.click();
    await field(page, name).fill(value);
  }
}

/** Types values into a card and presses its button. */
export async function check(page: Page, label: string, values: Record<string, string>): Promise<void> {
  await type(page, label, values);
  await button(card(page, label), "Check and save").click();
}

export async function waitForState(page: Page, label: string, state: string): Promise<void> {
  await card(page, label).locator(`[data-state="${state}"]`).waitFor();
}

/** Pastes text where the focus is, as Ctrl+V does. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await page.keyboard.press("ControlOrMeta+v");
}

export const envText = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");

/** Values of accounts of the person's own, at every service that has accounts. */
export async function ownValues(
  broker: RunningBroker,
  mode: "test" | "live" = "live",
): Promise<Record<string, string>> {
  const parts = await Promise.all(services.map((id) => broker.createUserEnv(id, { mode })));
  return Object.assign({}, ...parts);
}

/** From the start to the check, with keys that work everywhere. */
export async function addAllKeys(page: Page, values: Record<string, string>): Promise<void> {
  await toKeys(page);
  await page.locator("h1").click();
  await paste(page, envText(values));
  await button(page, "Check and save all 4").click();
  for (const label of ["Turso", "Cloudflare R2", "Clerk", "Stripe"]) await waitForState(page, label, "works");
  await says(page, /Continue also makes new app secrets for you\.$/);
  await button(page, "Continue to the check").click();
  await heading(page, "Check that everything fits");
}

/** The button that switches: what it says tells whether the data comes along. */
export const switchName = /^Switch (?:to my keys|without my data)$/;

/** The question, on the switch's page and after it, whether the preview may use these services' keys. */
export const previewAnswer = (page: Page, labels: string, answer: "Yes" | "No") =>
  page.getByRole("group", { name: labels, exact: true }).getByRole("radio", { name: answer });

/** From the check to the download. Keys of these services may be used by the preview. */
export async function switchOver(page: Page, ...lentToPreview: string[]): Promise<void> {
  await button(page, "Continue").click();
  await heading(page, "Switch Acme Notes to your keys");
  for (const label of lentToPreview) await previewAnswer(page, label, "Yes").check();
  await button(page, switchName).click();
  await heading(page, "Download your settings");
}

/** `KEYLOAN_PICTURES=all` keeps pictures in the dark and at 320 px too. */
const allPictures = process.env.KEYLOAN_PICTURES === "all";

/**
 * Holds the page as it is now to what every state must keep: nothing for axe to find in light and dark, and
 * everything within 320 px. Leaves a picture.
 */
export async function look(browser: TestBrowser, name: string, page = browser.page): Promise<void> {
  const size = page.viewportSize() ?? { width: 1100, height: 900 };
  await page.evaluate(axeSource);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await browser.picture(name, page);
  expect(await findBarriers(page, {}), name).toEqual([]);
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  if (allPictures) await browser.picture(`${name}-dark`, page);
  // Between the two only colours change.
  expect(await findBarriers(page, { runOnly: ["color-contrast"] }), `${name} in the dark`).toEqual([]);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 320, height: 640 });
  if (allPictures) await browser.picture(`${name}-narrow`, page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, `${name} at 320 px`).toBeLessThanOrEqual(0);
  await page.setViewportSize(size);
}

type Axe = {
  run: (options: unknown) => Promise<{
    violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
  }>;
};

async function findBarriers(page: Page, options: { runOnly?: string[] }): Promise<string[]> {
  const violations = await page.evaluate(async (given) => {
    const { axe } = globalThis as unknown as { axe: Axe };
    return (await axe.run(given)).violations;
  }, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ""}`),
  );
}
