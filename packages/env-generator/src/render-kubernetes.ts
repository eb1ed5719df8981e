import { EnvFormatError } from "./env-format-error.ts";
import type { EnvLine } from "./env-line.ts";
import { withGroupComments } from "./group-comment.ts";
import { plainValue, useJson } from "./plain-value.ts";

// Kubernetes documentation, "Secrets": keys of at most 253 characters, 1 MiB in all.
const keyLengthMax = 253;
const valueBytesMax = 1024 * 1024;
const subdomainPattern =
  /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/**
 * The manifest of a Secret for `kubectl apply` and `envFrom`. The values stand as base64 under `data`: with
 * `stringData`, a variable that a later manifest leaves out would stay in the cluster. Keys are quoted, because
 * YAML reads some names (`NO`, `ON`) as something else.
 * @param name the Secret's name
 * @throws EnvFormatError `bad_name`, `too_long`, `nul` or `not_text`
 */
export function renderKubernetes(lines: readonly EnvLine[], name = "app-env"): string {
  if (!subdomainPattern.test(name)) throw badSecretName(name);
  const head = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: "${name}"\ntype: Opaque\n`;
  if (lines.length === 0) return `${head}data: {}\n`;
  let bytes = 0;
  const entries = withGroupComments(
    lines,
    (line) => {
      const value = entryValue(line);
      bytes += value.length;
      if (bytes > valueBytesMax) throw tooLong(line.name);
      return `"${line.name}": "${value.toString("base64")}"`;
    },
    "  ",
  );
  return `${head}data:\n${entries}`;
}

function entryValue({ name, value }: EnvLine): Buffer {
  if (name.length > keyLengthMax) {
    throw new EnvFormatError(
      "bad_name",
      name,
      "is longer than a key of a Kubernetes Secret may be.",
      `Use a name of at most ${keyLengthMax} characters.`,
    );
  }
  return Buffer.from(plainValue(name, value.reveal()));
}

function tooLong(name: string): EnvFormatError {
  return new EnvFormatError(
    "too_long",
    name,
    "makes the values larger than the 1 MiB that a Kubernetes Secret holds.",
    useJson,
  );
}

function badSecretName(name: string): EnvFormatError {
  return new EnvFormatError(
    "bad_name",
    name,
    "is not a name for a Kubernetes Secret.",
    "Use lower-case letters, digits, dashes and dots, with a letter or digit at each end.",
  );
}
