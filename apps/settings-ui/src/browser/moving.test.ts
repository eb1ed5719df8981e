import { readFile } from "node:fs/promises";
import { findChromium } from "@keyloan/test-kit/chromium";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  buildHeader,
  button,
  envText,
  heading,
  look,
  openBuild,
  paste,
  previewAnswer,
  says,
  toKeys,
  waitForState,
} from "./testing/settings-page.ts";
import { type RunningBroker, startBroker } from "./testing/start-broker.ts";
import { startBrowser, type TestBrowser } from "./testing/start-browser.ts";

describe.skipIf(findChromium() === undefined)("taking the data along", () => {
  let broker: RunningBroker;
  let browser: TestBrowser;
  let page: Page;
  let build: string;
  let lent: Record<string, string>;
  let database: Record<string, string>;
  let files: Record<string, string>;

  beforeAll(async () => {
    [broker, browser] = await Promise.all([startBroker(), startBrowser()]);
    page = browser.page;
  });
  beforeEach(async () => {
    build = await openBuild(broker, page, { connectors: ["turso", "r2"] });
    lent = await broker.readEnv(build);
    [database, files] = await Promise.all([broker.createUserEnv("turso"), broker.createUserEnv("r2")]);
  });
  afterEach(() => broker.clearFaults());
  afterAll(() => Promise.all([browser.close(), broker.close()]));

  const fill = async (rows: number) => {
    await broker.runSql(lent, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
    await broker.runSql(
      lent,
      `INSERT INTO notes WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT i, 'note ' || i FROM n`,
    );
    await broker.putObjects(lent, { "cat.txt": "cat", "photos/dog.txt": "dog" });
  };
  const countNotes = async (env: Record<string, string>) =>
    (await broker.runSql(env, "SELECT count(*) AS n FROM notes"))[0]?.n;
  const toSwitch = async () => {
    await toKeys(page);
    await page.locator("h1").click();
    await paste(page, envText({ ...database, ...files }));
    await button(page, "Check and save all 2").click();
    for (const label of ["Turso", "Cloudflare R2"]) await waitForState(page, label, "works");
    await button(page, "Continue to the check").click();
    await says(page, "Everything fits");
    await button(page, "Continue").click();
    await heading(page, "Switch Acme Notes to your keys");
    await button(page, "Move my data").waitFor();
  };
  const section = (name: string) => page.getByRole("region", { name, exact: true });

  it("is offered before the switch, counted, proven, and comes with a receipt", async () => {
    await fill(3_000);
    await toSwitch();
    await button(page, "Your recovery code, and what the app builder may do").click();
    await page.getByRole("checkbox", { name: /^Move my data/ }).waitFor();
    await look(browser, "move-offered");
    expect(await page.getByRole("link", { name: /Download the Turso database/ }).getAttribute("href")).toBe(
      `/v1/settings/databases/turso/download?build=${build}`,
    );
    await button(page, "Move my data").click();
    await says(page, "Your data is moved");
    await says(page, /^In your account: 3,000 rows\./);
    await says(page, /^In your account: 2 files, 6 B\./);
    await says(page, /^Switch by .* left\)\. Until then your app can read/);
    await look(browser, "move-copied");
    await expect(broker.runSql(lent, "DELETE FROM notes")).rejects.toThrow(/block/i);
    // Services whose data was moved have one answer together, and start at yes.
    const together = "Turso and Cloudflare R2";
    expect(await previewAnswer(page, together, "Yes").isChecked()).toBe(true);
    await previewAnswer(page, together, "No").check();
    await says(page, "No: the preview shows the old data and cannot save.");
    await says(page, "The app builder’s preview does not get your keys.");
    await look(browser, "preview-choice-moved");
    await previewAnswer(page, together, "Yes").check();

    await button(page, "Switch to my keys").click();
    await heading(page, "Download your settings");
    await says(page, "Your data was moved");
    await look(browser, "moved");
    const downloading = page.waitForEvent("download");
    await button(page, "Download the receipt").click();
    const file = JSON.parse(await readFile(await (await downloading).path(), "utf8"));
    expect((await downloading).suggestedFilename()).toBe("keyloan-receipts.json");
    expect(file.receipts.map(({ connector }: { connector: string }) => connector).toSorted()).toEqual([
      "r2",
      "turso",
    ]);
    expect([await countNotes(await broker.readEnv(build)), await countNotes(database)]).toEqual([
      3_000, 3_000,
    ]);

    await button(page, "Go back to the lent keys").click();
    await page
      .getByRole("alertdialog")
      .getByText(/stays there, and your app cannot see it/)
      .waitFor();
    await look(browser, "move-back-asked");
    await button(page.getByRole("alertdialog"), "Go back").click();
    await says(page, "Your app uses the lent keys again");
    await says(page, "Moved before you went back. What is in your account stays there.");
    await expect
      .poll(
        () =>
          broker.runSql(lent, "DELETE FROM notes").then(
            () => "written",
            () => "blocked",
          ),
        {
          timeout: 10_000,
        },
      )
      .toBe("written");
    expect(browser.complaints).toEqual([]);
  });

  it("shows how far it is, goes on over a reload, and can be stopped", async () => {
    await fill(200_000);
    await toSwitch();
    await button(page, "Move my data").click();
    await says(page, "Moving your data");
    await page.getByText(/^(?:Copying|Comparing both sides): [\d,]+ of 200,000 rows/).waitFor();
    const bar = section("Moving your data").getByRole("progressbar");
    expect(await bar.getAttribute("aria-valuetext")).toMatch(/rows/);
    await page.reload();
    await heading(page, "Switch Acme Notes to your keys");
    expect(await button(page, /^Switch/).getAttribute("aria-disabled")).toBe("true");
    const underWay = await page.evaluate(
      async (headers) => (await fetch("/v1/settings/transfer", { headers })).text(),
      buildHeader(page),
    );
    await button(page, "Stop moving").click();
    await says(page, "Not moved. None of it is left in your database.");
    await look(browser, "move-stopped");
    await broker.runSql(lent, "DELETE FROM notes WHERE id > 10");
    await button(page, "Move my data").click();
    await says(page, "Your data is moved");
    expect(await countNotes(database)).toBe(10);

    // A picture takes longer than the move: the page is shown once more what it was told in the middle.
    const then = "**/v1/settings/transfer";
    await page.route(then, (route) => route.fulfill({ contentType: "application/json", body: underWay }));
    await page.reload();
    await button(page, "Stop moving").waitFor();
    await look(browser, "moving");
    await page.unroute(then);
  });

  it("touches nothing that is there already without a clear yes", async () => {
    await fill(20);
    await broker.runSql(database, "CREATE TABLE mine (id)");
    await broker.putObjects(files, { "mine.txt": "mine" });
    await toSwitch();
    // This browser has visits of several apps by now: the link says which is meant.
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: /Download the Turso database/ }).click();
    const bytes = await readFile(await (await downloading).path());
    expect(bytes.subarray(0, 15).toString()).toBe("SQLite format 3");
    await button(page, "Move my data").click();
    await says(page, "Your Turso database is not empty");
    await says(page, "Your Cloudflare R2 already contains files");
    await look(browser, "move-not-empty");
    await button(page, "Delete its content, and move…").click();
    await page.getByRole("alertdialog").getByText("Delete everything in your Turso database?").waitFor();
    await look(browser, "move-overwrite-asked");
    await button(page.getByRole("alertdialog"), "Not yet").click();
    expect(await broker.runSql(database, "SELECT * FROM mine")).toEqual([]);
    await button(page, "Delete its content, and move…").click();
    await button(page.getByRole("alertdialog"), "Delete everything and move").click();
    await says(page, /^In your account: 20 rows\./);
    await button(page, "Look again").click();
    await says(page, "Your Cloudflare R2 already contains files");
    await button(page, "Replace files, and move…").click();
    await button(page.getByRole("alertdialog"), "Replace and move").click();
    await says(page, /^In your account: 2 files/);
    expect(await countNotes(database)).toBe(20);
  });

  it("tells what went wrong and what to do, and goes on from there", async () => {
    await fill(20);
    await toSwitch();
    await broker.addFault("turso", { kind: "status", status: 403, method: "PATCH", path: /configuration$/ });
    await button(page, "Move my data").click();
    await says(page, /^Changes to the lent Turso could not be stopped/);
    await button(page, "Switch without the data of Turso").waitFor();
    await look(browser, "move-failed");
    await button(page, "Move the rest").click();
    await says(page, /^In your account: 20 rows\./);
  });

  it("gives the copy up when nobody switches in time, and says so", async () => {
    await fill(20);
    await toSwitch();
    await button(page, "Move my data").click();
    await says(page, "Your data is moved");
    await broker.advance(31 * 60_000);
    await page.reload();
    await says(page, /was not switched to in time/);
    await look(browser, "move-expired");
    await broker.runSql(lent, "DELETE FROM notes WHERE id = 1");
    await button(page, "Try again").click();
    await says(page, /^In your account: 19 rows\./);
  });
});
