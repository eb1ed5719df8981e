import { readFile } from "node:fs/promises";
import type { SettingsView } from "@keyloan/contract";
import { findChromium } from "@keyloan/test-kit/chromium";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  button,
  card,
  heading,
  look,
  openBuild,
  openLink,
  says,
  saysNoMore,
  switchName,
  toKeys,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

const hour = 3_600_000;
const dialog = (page: Page) => page.getByRole("alertdialog");
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");
const secretsOnly = { connectors: ["app-secrets"] };

describe.skipIf(findChromium() === undefined)("whose settings these are", () => {
  let broker: RunningBroker;
  let mine: TestBrowser;
  let other: TestBrowser;

  beforeAll(async () => {
    [broker, mine, other] = await Promise.all([startBroker(), startBrowser(), startBrowser()]);
  });
  afterAll(() => Promise.all([mine.close(), other.close(), broker.close()]));

  /** A build whose keys were saved in the first browser: its person. */
  const becomePerson = async (body: Record<string, unknown> = secretsOnly) => {
    const build = await openBuild(broker, mine.page, body);
    await toKeys(mine.page);
    await button(card(mine.page, "App secrets"), "Make my own").click();
    await waitForState(mine.page, "App secrets", "works");
    return build;
  };
  const code = (page: Page) => page.getByText(/^klo_rec_/).first();
  const codeText = async (page: Page) => (await code(page).textContent()) ?? "";
  const visit = async (build: string) => {
    await openLink(other.page, await broker.createLink(build));
    await heading(other.page, "Keys for Acme Notes are already saved");
  };

  const switchAll = async (page: Page) => {
    await button(page, "Continue to the check").click();
    await says(page, "Everything fits");
    await button(page, "Continue").click();
    await button(page, switchName).click();
    await heading(page, "Download your settings");
  };

  it("a link that a machine opens with all its scripts still opens for the person", async () => {
    const build = await broker.createBuild({ name: "Acme Notes" });
    const link = await broker.createLink(build);
    const { page } = other;
    await page.goto(link, { waitUntil: "networkidle" });
    await button(page, "Open my settings").waitFor();
    expect(page.url()).not.toContain("code=");
    await page.mouse.wheel(0, 500);
    await page.reload({ waitUntil: "networkidle" });
    expect(other.requests.filter(({ url, body }) => `${url} ${body}`.includes("klo_hnd_"))).toEqual([]);
    expect(other.requests.filter(({ url }) => url.endsWith("/v1/session"))).toEqual([]);

    await mine.page.goto(link);
    await button(mine.page, "Open my settings").waitFor();
    await look(mine, "open-link");
    expect(await focused(mine.page)).toBe("Your app’s settings are ready");
    await mine.page.keyboard.press("Tab");
    await mine.page.keyboard.press("Enter");
    await heading(mine.page, "Make Acme Notes yours");
  });

  it("the first save shows a recovery code to copy or download, which blocks nothing", async () => {
    const { page } = mine;
    await becomePerson();
    await says(page, "Your recovery code");
    const shown = await codeText(page);
    await look(mine, "recovery-code");
    await button(page, "Copy").click();
    await says(page, "Copied.");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(shown);
    const downloading = page.waitForEvent("download");
    await button(page, "Download").click();
    const file = await readFile(await (await downloading).path(), "utf8");
    expect(file).toContain(shown);
    expect(file).toContain(`It opens ${broker.url}/settings in any browser`);
    await button(page, "Hide").click();
    expect(await code(page).count()).toBe(0);
    expect(await focused(page)).toBe("Add your own keys");
    await button(page, "Continue to the check").click();
    await heading(page, "Check that everything fits");
  });

  it("a code that this page has no more is made anew, and the old one is dead", async () => {
    const { page } = mine;
    await becomePerson();
    const old = await codeText(page);
    await page.reload();
    await waitForState(page, "App secrets", "works");
    expect(await code(page).count()).toBe(0);
    await button(page, "Your recovery code, and what the app builder may do").click();
    await look(mine, "your-access");
    const goBack = page.getByRole("checkbox", { name: /^Go back to the lent keys/ });
    expect(await goBack.isChecked()).toBe(false);
    await goBack.check();
    await page.getByRole("status").getByText("Go back to the lent keys: allowed.").waitFor();
    expect(await page.getByRole("checkbox", { name: /^Move my data/ }).count()).toBe(0);
    await button(page, "Make a new code").click();
    await dialog(page)
      .getByText(/every other browser or device where this page is open as you is signed out/)
      .waitFor();
    await look(mine, "new-code-asked");
    await button(dialog(page), "Not yet").click();
    expect(await code(page).count()).toBe(0);
    await button(page, "Make a new code").click();
    await button(dialog(page), "Make a new code").click();
    await code(page).waitFor();
    const fresh = await codeText(page);
    expect(fresh).not.toBe(old);
    await page
      .getByText(/and every other browser and device was signed out\.$/)
      .first()
      .waitFor();

    await other.page.goto(`${broker.url}/settings`);
    await button(other.page, "I have a recovery code").click();
    const enter = async (text: string) => {
      await other.page.getByRole("textbox", { name: "Recovery code" }).fill(text);
      await other.page.keyboard.press("Enter");
    };
    await enter("klo_rec_not-whole");
    await other.page.getByText(/This is not a complete recovery code/).waitFor();
    await enter(old);
    await other.page.getByText(/recovery code is not correct/).waitFor();
    await look(other, "recovery-refused");
    await enter(fresh.toUpperCase().replaceAll("-", " "));
    await heading(other.page, "Check that everything fits");
    await other.context.clearCookies();
  });

  it("who has not proven to be the person sees masks and can write nothing", async () => {
    const build = await becomePerson();
    await visit(build);
    const { page } = other;
    expect(await page.getByRole("textbox").count()).toBe(1);
    expect(await button(page, /Check|Save|Replace|Remove|Make my own/).count()).toBe(0);
    await says(page, "App secrets");
    await look(other, "visitor");
  });

  it("keys from before anybody was known can only be started over", async () => {
    const build = await becomePerson();
    await other.page.route("**/v1/settings", async (route) => {
      const response = await route.fetch();
      const settings: SettingsView = await response.json();
      await route.fulfill({ response, json: { ...settings, person: { standing: "nobody_can_prove" } } });
    });
    await visit(build);
    await says(other.page, /so nobody can prove that they own them/);
    expect(await other.page.getByRole("textbox").count()).toBe(0);
    await button(other.page, "Start over…").waitFor();
    await look(other, "nobody-can-prove");
    await other.page.unroute("**/v1/settings");
  });

  it("starting over waits a day, can be withdrawn, and asked for again an hour later", async () => {
    const build = await becomePerson();
    await visit(build);
    await button(other.page, "Start over…").click();
    await dialog(other.page).waitFor();
    await look(other, "start-over-asked");
    await button(dialog(other.page), "Start over").click();
    await says(other.page, "You asked to start over");
    await says(other.page, /left\), unless the person who saved the keys refuses/);
    expect(await focused(other.page)).toMatch(/^Start over/);
    await look(other, "start-over-waiting");

    await button(other.page, "Withdraw").click();
    await says(other.page, /^This was withdrawn\. You can ask again from .*at \d\d:\d\d\.$/);
    expect(await button(other.page, "Start over…").isDisabled()).toBe(true);
  });

  it("a refusal of the person is told, and holds for visits of other links", async () => {
    const build = await becomePerson();
    await visit(build);
    await button(other.page, "Start over…").click();
    await button(dialog(other.page), "Start over").click();
    await says(other.page, "You asked to start over");

    await mine.page.reload();
    await says(mine.page, "Somebody asked to start over");
    await says(mine.page, /from the address/);
    await look(mine, "start-over-told");
    await button(mine.page, "Refuse").click();
    await saysNoMore(mine.page, "Somebody asked to start over");
    await says(mine.page, "Refused. Everything stays yours.");
    expect(await focused(mine.page)).toBe("Add your own keys");
    await look(mine, "start-over-refused-here");
    await other.page.reload();
    await says(other.page, "The person who saved the keys refused");
    await says(other.page, /^This was refused\. You can ask again from \w+ \d+ \w+ at \d\d:\d\d\.$/);
    expect(await button(other.page, "Start over…").isDisabled()).toBe(true);
    await look(other, "start-over-refused");
    // A visit of a new link is kept out as well.
    await visit(build);
    await says(other.page, /^This was refused\./);
    expect(await other.page.getByText(/127\.0\.0\.1/).count()).toBe(0);
  });

  it("finishing asks about a file that was not taken, and sends no stranger for a link", async () => {
    const build = await becomePerson();
    const { page } = mine;
    expect(await page.getByText("Paste a whole .env file").count()).toBe(0);
    await switchAll(page);
    await button(page, "Finish").click();
    await dialog(page).getByText("You have not downloaded your file yet.").waitFor();
    expect(
      await dialog(page)
        .getByText(/deleted when they end/)
        .count(),
    ).toBe(0);
    await look(mine, "finish-not-downloaded");
    await button(dialog(page), "Not yet").click();
    const downloading = page.waitForEvent("download");
    await button(page, "Download the file").click();
    await downloading;
    await says(page, /The file should be called/);
    await button(page, "Finish").click();
    await dialog(page).getByText("Your app keeps using your own keys.", { exact: false }).waitFor();
    await expect.poll(() => dialog(page).getByText("You have not downloaded your file yet.").count()).toBe(0);
    await button(dialog(page), "Finish").click();
    await heading(page, "Acme Notes is yours");

    await other.context.clearCookies();
    await other.page.goto(`${broker.url}/settings?build=${build}`);
    await heading(other.page, "This browser cannot open any app yet");
    await says(other.page, /^If you saved keys elsewhere, use that browser or your recovery code\./);
    expect(await other.page.getByText(/open the link it gives you/).count()).toBe(0);
    await look(other, "no-link-after-finish");
    await openLink(other.page, await broker.createLink(build));
    await heading(other.page, "Only the person who saved the keys can open this");
  });

  it("after the day it is the newcomer's, and the old browser is told when and from where", async () => {
    const build = await becomePerson();
    await mine.context.clearCookies({ name: /keyloan_session/ });
    await broker.advance(25 * hour);
    await visit(build);
    await button(other.page, "Start over…").click();
    await button(dialog(other.page), "Start over").click();
    // Nothing was saved for a day, and nothing is in use: there is nothing to wait for.
    await heading(other.page, "Make Acme Notes yours");
    await toKeys(other.page);
    await button(card(other.page, "App secrets"), "Make my own").click();
    await says(other.page, "Your recovery code");

    await mine.page.goto(`${broker.url}/settings`);
    await says(mine.page, "Somebody started over with “Acme Notes”");
    await says(mine.page, /from the address/);
    await look(mine, "started-over");
  });

  it("after a switch the old keys stay in use, and the newcomer's own take their place", async () => {
    const build = await becomePerson();
    await switchAll(mine.page);
    await visit(build);
    await button(other.page, "Start over…").click();
    await dialog(other.page)
      .getByText(/The app keeps using the keys it uses now/)
      .waitFor();
    await button(dialog(other.page), "Start over").click();
    await says(other.page, "You asked to start over");
    await broker.advance(25 * hour);
    // Lending ends too, and would change the settings under the newcomer's hands.
    await broker.runWork("lending-end");
    await broker.runWork("start-over");
    await openLink(other.page, await broker.createLink(build));
    await heading(other.page, "Make Acme Notes yours");
    await says(other.page, /keys that somebody saved here before you/);
    await look(other, "start-inherited");
    await toKeys(other.page);
    await waitForState(other.page, "App secrets", "needs_you");
    expect(await other.page.getByRole("link", { name: /Download/ }).count()).toBe(0);
    await button(card(other.page, "App secrets"), "Make my own").click();
    await waitForState(other.page, "App secrets", "works");
    await switchAll(other.page);
    await button(other.page, "Download the file").waitFor();
  });
});
