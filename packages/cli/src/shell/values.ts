import type { EnvFormat, EnvProfile } from "@keyloan/contract";
import { type Arguments, UsageError } from "./command.ts";

const profiles: Readonly<Record<EnvProfile, true>> = { plain: true, next: true, vite: true, expo: true };
const formats: Readonly<Record<EnvFormat, true>> = {
  json: true,
  dotenv: true,
  shell: true,
  docker: true,
  github: true,
  kubernetes: true,
  systemd: true,
};

/** `--build`, or the first positional argument, as a build id. */
export function buildIdOf(args: Arguments): string {
  const option = args.text("build");
  const positional = args.positionals[0];
  if (option !== undefined && positional !== undefined) {
    throw new UsageError("The build is named twice: as an argument and with --build.");
  }
  const id = option ?? positional;
  if (id === undefined)
    throw new UsageError("The build id is missing.", "See the ids with: keyloan build list");
  if (!/^bld_[0-9a-hjkmnp-tv-z]{20}$/.test(id)) {
    throw new UsageError(
      "That is not a build id: one looks like bld_ and 20 lower-case letters and digits.",
      "See the ids with: keyloan build list",
    );
  }
  return id;
}

/** `--end` as an id of this kind; `undefined` without it. */
export function idToEnd(args: Arguments, prefix: "ses" | "tok"): string | undefined {
  const id = args.text("end");
  if (id === undefined || (id.startsWith(`${prefix}_`) && /^.{4}[0-9a-hjkmnp-tv-z]{20}$/.test(id))) return id;
  throw new UsageError(
    `--end names an id that looks like ${prefix}_ and 20 lower-case letters and digits.`,
    "See the ids with the same command, without --end.",
  );
}

/** A duration such as `90`, `90s`, `15m`, `24h`, `7d` or `1h30m`, in seconds. */
export function secondsOf(args: Arguments, option: string): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (!/^(?:\d{1,6}[smhd])+$/.test(text)) {
    throw new UsageError(`--${option} is a duration such as 90s, 15m, 24h, 7d or 1h30m.`);
  }
  const factors: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g)) {
    seconds += Number(count) * (factors[unit ?? "s"] ?? 1);
  }
  return seconds;
}

/** A whole number within bounds. */
export function integerOf(args: Arguments, option: string, min: number, max: number): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${option} is a whole number from ${min} to ${max}.`);
}

export function profileOf(args: Arguments): EnvProfile | undefined {
  const text = args.text("profile");
  if (text === undefined || isKeyOf(profiles, text)) return text;
  throw new UsageError(`--profile is one of ${Object.keys(profiles).join(", ")}.`);
}

/** The ids of all formats, for help texts. */
export const formatNames: readonly string[] = Object.keys(formats);

export function formatOf(args: Arguments): EnvFormat | undefined {
  const text = args.text("format");
  if (text === undefined || isKeyOf(formats, text)) return text;
  throw new UsageError(`--format is one of ${formatNames.join(", ")}.`);
}

/** Copy sets: the option may be repeated, or name several sets with commas. */
export function copiesOf(args: Arguments): readonly string[] {
  const names = args.texts("copies").flatMap((text) => text.split(","));
  if (names.every((name) => /^[a-z]+$/.test(name))) return names;
  throw new UsageError("--copies takes names of copy sets in lower-case letters, such as aws.");
}

function isKeyOf<Key extends string>(table: Readonly<Record<Key, true>>, text: string): text is Key {
  return Object.hasOwn(table, text);
}
