import type { Locator, Page } from "playwright-core";
import type { OwnKeys, RefusalCode, Visit } from "./visit.ts";

/** The settings page, used in a real browser by what a person sees and hears of it. */
export function visitInBrowser(page: Page, buildName: string): Visit {
  const button = (name: string, within: Page | Locator = page) =>
    within.getByRole("button", { name, exact: true });
  const heading = (name: string) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  const card = (label: string) => page.getByRole("region", { name: label, exact: true });
  const works = (label: string) => card(label).locator('[data-state="works"]').waitFor();
  const answer = (name: string) => button(name, page.getByRole("alertdialog")).click();
  const previewAnswers = (answer: "Yes" | "No") =>
    page
      .getByRole("region", { name: /^May the app builder’s preview use your keys/ })
      .getByRole("radio", { name: answer, exact: true })
      .all();
  const copy = (text: string) => page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
  const swapPage = `Switch ${buildName} to your keys`;
  return {
    open: async (link) => {
      await page.goto(link);
      await button("Open my settings").click();
      await heading(`Make ${buildName} yours`);
      await button("Start").click();
      await heading("Add your own keys");
    },
    seeRefused: async ({ label, values }, code) => {
      const region = card(label);
      const header = region.getByRole("button").first();
      if ((await header.getAttribute("aria-expanded")) !== "true") await header.click();
      for (const [name, value] of Object.entries(values)) {
        const field = region.locator(`[name="${name}"]`);
        if ((await field.count()) === 0) await region.getByRole("button", { name: /^More settings/ }).click();
        await field.fill(value);
      }
      await button("Check and save", region).click();
      const title = refusalTitle(code, label);
      await region.getByText(title, { exact: true }).waitFor();
      await region.getByText("Nothing was saved, and nothing changed.").waitFor();
      await region.locator('[data-state="needs_you"]').waitFor();
      return title;
    },
    giveKeys: async (keys) => {
      await page.getByRole("heading", { level: 1 }).click();
      await copy(envText(keys));
      await page.keyboard.press("ControlOrMeta+v");
      await button(`Check and save all ${keys.length}`).click();
      for (const { label } of keys) await works(label);
      await copy("");
    },
    check: async () => {
      await button("Continue to the check").click();
      await heading("Check that everything fits");
      await page.getByText("Everything fits", { exact: true }).waitFor();
      await button("Continue").click();
      await heading(swapPage);
    },
    swap: async () => {
      for (const radio of await previewAnswers("Yes")) await radio.click();
      // Nothing is moved in this part of the play.
      await page.getByRole("button", { name: /^Switch (?:to my keys|without my data)$/ }).click();
      await heading("Download your settings");
      await page.getByText("Your app uses your own keys now").waitFor();
    },
    keepFromPreview: async () => {
      for (const radio of await previewAnswers("No")) {
        // The page shows the answer at once, and the broker has it a moment later.
        const saved = page.waitForResponse((response) => response.url().endsWith("/v1/settings/preview"));
        await Promise.all([saved, radio.click()]);
      }
    },
    revert: async () => {
      await button("Go back to the lent keys").click();
      await answer("Go back");
      await heading(swapPage);
      await page.getByText("Your app uses the lent keys again").first().waitFor();
    },
    downloadTo: async (file) => {
      const downloading = page.waitForEvent("download");
      const [download] = await Promise.all([downloading, button("Download the file").click()]);
      await download.saveAs(file);
    },
    finish: async () => {
      await button("Finish").click();
      await answer("Finish");
      await heading(`${buildName} is yours`);
    },
  };
}

const envText = (keys: readonly OwnKeys[]): string =>
  keys.flatMap(({ values }) => Object.entries(values).map(([name, value]) => `${name}=${value}`)).join("\n");

function refusalTitle(code: RefusalCode, label: string): string {
  return code === "ours" ? "This is the key we lent you" : `${label} does not accept this`;
}
