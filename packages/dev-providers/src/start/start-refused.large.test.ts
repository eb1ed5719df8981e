import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { childPidsOf, createBench, waitUntilGone } from "../testing/run-launcher.ts";

const bench = createBench();
afterAll(() => bench.clean());

/** Starts and expects a refusal: its words, without the lines of progress. */
async function refusal(
  args: readonly string[],
  env: Record<string, string>,
): Promise<[number | null, string]> {
  const run = bench.run(args, env);
  const { code } = await run.exited;
  return [
    code,
    run
      .output()
      .replaceAll(/^[A-Z].*…\n/gm, "")
      .trim(),
  ];
}

describe("one clear sentence and a failing exit code when", () => {
  test("the port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const [code, words] = await refusal(["start"], {
      KEYLOAN_HOME: join(bench.folder(), "home"),
      PORT: String(port),
    });
    await new Promise((resolve) => server.close(resolve));
    expect(words).toMatch(
      new RegExp(`^Another program uses port ${port}: stop it, or choose another port with PORT=\\d+\\.$`),
    );
    expect(code).toBe(1);
  });

  test("the folder is a file", async () => {
    const file = join(bench.folder(), "home");
    writeFileSync(file, "");
    const [code, words] = await refusal(["start"], { KEYLOAN_HOME: file });
    expect(words).toBe(
      `Keyloan keeps its state in ${file}, but it is not a folder: give it a folder that you can write to, or set KEYLOAN_HOME to another one.`,
    );
    expect(code).toBe(1);
  });

  test("the folder lies in a file", async () => {
    const file = join(bench.folder(), "file");
    writeFileSync(file, "");
    const [code, words] = await refusal(["start"], { KEYLOAN_HOME: join(file, "home") });
    expect(words).toMatch(/^Keyloan keeps its state in .+, but it is not a folder: /);
    expect(code).toBe(1);
  });

  test.runIf(process.platform === "linux")("the folder cannot be made", async () => {
    const [code, words] = await refusal(["start"], { KEYLOAN_HOME: "/proc/keyloan/home" });
    expect(words).toMatch(
      /^Keyloan keeps its state in \/proc\/keyloan\/home, but it cannot be written to \(\w+\): /,
    );
    expect(code).toBe(1);
  });

  test("the folder holds other things, which stay as they are", async () => {
    const folder = bench.folder();
    mkdirSync(join(folder, "photos"), { mode: 0o755 });
    writeFileSync(join(folder, "letter.txt"), "dear", { mode: 0o644 });
    const modeBefore = statSync(folder).mode;
    const [code, words] = await refusal(["start"], { KEYLOAN_HOME: folder });
    expect(words).toMatch(/^The folder .+ contains other files: set KEYLOAN_HOME to /);
    expect(code).toBe(1);
    expect(readdirSync(folder)).toEqual(["letter.txt", "photos"]);
    expect(statSync(folder).mode).toBe(modeBefore);
  });

  test("PORT is no port, the command is unknown or missing", async () => {
    const env = { KEYLOAN_HOME: join(bench.folder(), "home") };
    expect(await refusal(["start"], { ...env, PORT: "http" })).toEqual([
      2,
      "PORT must be a number from 0 to 65535; 0 picks a free port.",
    ]);
    expect(await refusal(["begin"], env)).toEqual([
      2,
      '"begin" is not understood: use start, demo or --help.',
    ]);
    expect(await refusal([], env)).toEqual([2, "A command is missing: use start, demo or --help."]);
  });
});

test("two starts at one instant on one folder: one runs, the other says so", async () => {
  const env = { KEYLOAN_HOME: join(bench.folder(), "home") };
  const runs = [bench.run(["start"], env), bench.run(["start"], env)];
  const loser = await Promise.race(runs.map((run) => run.exited.then(() => run)));
  expect(loser.output()).toMatch(/Keyloan is already running on this folder/);
  const winner = runs.find((run) => run !== loser);
  await winner?.ready();

  // The winner's folder serves for what happens when a child dies.
  const children = childPidsOf(env.KEYLOAN_HOME);
  process.kill(children[1] ?? 0, "SIGKILL");
  expect((await winner?.exited)?.code).toBe(1);
  expect(winner?.output()).toMatch(/\nThe broker has ended by SIGKILL; its log is .+broker\.log\.\n/);
  await waitUntilGone(children);
});

test("a database server that dies is started again, and the launcher goes on", async () => {
  const home = join(bench.folder(), "home");
  const run = bench.run(["start"], { KEYLOAN_HOME: home });
  await run.ready();
  const died = childPidsOf(home).at(-1) ?? 0;
  process.kill(died, "SIGKILL");
  const newer = () => {
    // Written anew while it starts.
    try {
      return childPidsOf(home).at(-1);
    } catch {
      return died;
    }
  };
  await expect.poll(newer, { timeout: 20_000 }).not.toBe(died);
  const children = childPidsOf(home);
  run.kill("SIGINT");
  expect((await run.exited).code).toBe(0);
  await waitUntilGone(children);
});

test("a state of a stand-in that cannot be read stops the start with a sentence that names it", async () => {
  const home = join(bench.folder(), "home");
  mkdirSync(join(home, "providers/stripe"), { recursive: true });
  writeFileSync(join(home, "lock"), "");
  writeFileSync(join(home, "providers/stripe/stripe.json"), "{");
  const [code, words] = await refusal(["start"], { KEYLOAN_HOME: home });
  expect(words).toMatch(/^The Stripe stand-in does not start: .*stripe\.json.*$/);
  expect(code).toBe(1);
});

test("data whose root key is gone is not started over with a new one", async () => {
  const home = join(bench.folder(), "home");
  mkdirSync(join(home, "broker"), { recursive: true });
  writeFileSync(join(home, "lock"), "");
  writeFileSync(join(home, "broker/keyloan.db"), "");
  const [code, words] = await refusal(["start"], { KEYLOAN_HOME: home });
  expect(words).toMatch(/^The root key .+root-key is gone, .+: put it back, or delete .+ to start again\.$/);
  expect(code).toBe(1);
});

test("--help shows examples and starts nothing", async () => {
  const home = join(bench.folder(), "home");
  const run = bench.run(["start", "--help"], { KEYLOAN_HOME: home });
  expect((await run.exited).code).toBe(0);
  expect(run.output()).toContain("PORT=9000 pnpm start");
  expect(() => readFileSync(home)).toThrow("ENOENT");
});
