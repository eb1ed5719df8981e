import { readFile } from "node:fs/promises";
import { optionsOrExit } from "../options-or-exit.ts";
import type { Attack, Family, Spoil } from "./attack.ts";
import { families } from "./families/index.ts";
import { createGround, type Ground } from "./ground.ts";
import { type Machine, startMachine } from "./machine.ts";
import { help, type Options, readOptions } from "./options.ts";

type Result = { readonly id: string; readonly spoil: Spoil };

const options = optionsOrExit(readOptions, help);
const chosen = choose(options);
if (options.list) {
  for (const { name, attacks } of families) for (const { id } of attacks) console.log(`${name}/${id}`);
} else {
  process.exitCode = await attackAll();
}

function choose({ only }: Options): readonly Family[] {
  if (only.length === 0) return families;
  const known = new Set(
    families.flatMap(({ name, attacks }) => [name, ...attacks.map(({ id }) => `${name}/${id}`)]),
  );
  const unknown = only.find((text) => !known.has(text));
  if (unknown !== undefined) {
    console.error(`There is no attack or family ${unknown}; list them with --list.`);
    process.exit(2);
  }
  return families.flatMap((family) => {
    const wanted = (id: string) => only.includes(family.name) || only.includes(`${family.name}/${id}`);
    const some = { ...family, attacks: family.attacks.filter(({ id }) => wanted(id)) } as Family;
    return some.attacks.length === 0 ? [] : [some];
  });
}

async function attackAll(): Promise<number> {
  const { given } = options;
  const machine = given === undefined ? await startMachine() : undefined;
  try {
    const ground =
      given === undefined
        ? groundOf(machine)
        : createGround(given.url, (await readFile(given.adminTokenFile, "utf8")).trim());
    const results: Result[] = [];
    for (const family of chosen) {
      if (family.on === "broker") results.push(...(await runFamily(family.name, family.attacks, ground)));
      else if (machine !== undefined)
        results.push(...(await runFamily(family.name, family.attacks, machine)));
      else console.log(`${family.name}: left out, it needs the broker's own machine`);
    }
    const succeeded = results.filter(({ spoil }) => spoil !== undefined).length;
    console.log(`attacks ${results.length}, succeeded ${succeeded}`);
    return succeeded === 0 && results.length > 0 ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await machine?.close();
  }
}

function groundOf(machine: Machine | undefined): Ground {
  if (machine === undefined) throw new Error("no broker was started");
  return machine.ground;
}

async function runFamily<Where>(
  name: string,
  attacks: readonly Attack<Where>[],
  where: Where,
): Promise<Result[]> {
  const began = performance.now();
  const results: Result[] = [];
  for (const { id, run } of attacks) {
    // An attack that breaks off shows nothing, and counts as one that succeeded.
    const spoil = await run(where).catch(
      (error: unknown) => `the attack broke off: ${error instanceof Error ? error.message : String(error)}`,
    );
    results.push({ id, spoil });
    if (spoil !== undefined) console.log(`SUCCEEDED  ${name}/${id}: ${spoil}`);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const held = results.filter(({ spoil }) => spoil === undefined).length;
  console.log(`${name}: ${held} of ${results.length} held, ${seconds} s`);
  return results;
}
