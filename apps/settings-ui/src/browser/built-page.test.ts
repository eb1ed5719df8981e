import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
const connectors = fileURLToPath(new URL("../../../../packages/connectors/src/", import.meta.url));
const html = readFileSync(join(dist, "index.html"), "utf8");
const scripts = readdirSync(join(dist, "assets")).filter((name) => name.endsWith(".js"));
const read = (name: string) => readFileSync(join(dist, "assets", name), "utf8");

const firstLoad = [...html.matchAll(/\/settings\/assets\/([^"]+)"/g)].map(([, name = ""]) => name);
const providers = readdirSync(connectors, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "kit")
  .map(({ name }) => name);

describe("the built page", () => {
  it("weighs at most 150 kB when it is first opened, and leaves sealing for later", () => {
    const bytes = [html, ...firstLoad.map(read)].reduce((sum, text) => sum + gzipSync(text).length, 0);
    expect(bytes).toBeLessThanOrEqual(150_000);
    expect(firstLoad.map(read).join("")).not.toContain("crypto_box_seal_open");
    expect(scripts.length).toBeGreaterThan(1);
  });

  it("knows no provider: everything about one comes from the catalog", () => {
    const text = scripts
      .filter((name) => !name.startsWith("libsodium"))
      .map(read)
      .join("\n");
    const named = providers.filter((id) =>
      new RegExp(id.length > 3 ? id : `\\b${id.toUpperCase()}_|["'\`]${id}["'\`]`, "i").test(text),
    );
    expect(providers.length).toBeGreaterThan(3);
    expect(named).toEqual([]);
  });

  it("has nothing inline, so that the strictest policy holds", () => {
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|="javascript:/i);
    expect(html).not.toMatch(/(?:src|href)="(?!\/settings\/)/);
  });

  it("stores nothing in the browser", () => {
    const text = firstLoad.map(read).join("\n");
    expect(text).not.toMatch(/localStorage|sessionStorage|indexedDB|document\.cookie/);
  });
});
