import { expect, test } from "vitest";
import type { RunningKeyloan } from "./launcher.ts";
import { renderScreen } from "./screen.ts";

const provider = (id: string, notice?: string) => ({
  id,
  label: id,
  baseUrl: `http://127.0.0.1/${id}`,
  notice,
});

function screenWith(providers: RunningKeyloan["providers"]): readonly string[] {
  const running: RunningKeyloan = {
    url: "http://127.0.0.1:9000",
    adminToken: "hidden",
    adminTokenFile: "state/admin-token",
    buildFile: "state/build.json",
    providers,
    createUserEnvs: async () => ({}),
    failed: new Promise(() => {}),
  };
  return renderScreen(running, (_style, text) => text).split("\n");
}

test("what a stand-in has to say of this machine stands on the screen as one sentence, once", () => {
  const notice = "This system lets the database server see your files.";
  const quiet = screenWith([provider("a"), provider("b")]);
  const lines = screenWith([provider("a"), provider("b", notice)]);
  expect(lines.filter((line) => line.includes(notice))).toEqual([`  ${notice}`]);
  expect(lines.length).toBe(quiet.length + 1);
  expect(quiet.join("\n")).not.toContain("files");
});
