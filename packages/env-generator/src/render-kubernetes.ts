import { EnvFormatError } from "./env-format-error.ts";
import type { EnvLine } from "./env-line.ts";
import { withGroupComments } from "./group-comment.ts";
import { type Refusal, refuseNoText } from "./refusal.ts";

// Kubernetes documentation, "Secrets": keys of at most 253 characters, 1 MiB in all.
const keyLengthMax = 253;
const valueBytesMax = 1024 * 1024;
const tooLong = {
  code: "too_long",
  reason: "makes the values larger than 1 MiB, the maximum for a Kubernetes Secret.",
  remedy: "Ask for the format json, which supports every text.",
} as const;
const subdomainPattern =
  /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/**
 * The manifest of a Secret for `kubectl apply` and `envFrom`. The values are base64 under `data`: with
 * `stringData`, a variable that a later manifest leaves out would stay in the cluster. Keys are quoted, because
 * YAML reads some names (`NO`, `ON`) as something else.
 * @param name the Secret's name
 * @throws EnvFormatError `bad_name` for the Secret's name, `too_long` if all values together are
 */
export function renderKubernetes(lines: readonly EnvLine[], name = "app-env"): string {
  if (!subdomainPattern.test(name)) throw badSecretName(name);
  const head = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: "${name}"\ntype: Opaque\n`;
  if (lines.length === 0) return `${head}data: {}\n`;
  let bytes = 0;
  const entries = withGroupComments(
    lines,
    (line) => {
      const value = Buffer.from(line.value.reveal());
      bytes += value.length;
      if (bytes > valueBytesMax) {
        throw new EnvFormatError(tooLong.code, line.name, tooLong.reason, tooLong.remedy);
      }
      return `"${line.name}": "${value.toString("base64")}"`;
    },
    "  ",
  );
  return `${head}data:\n${entries}`;
}

/** Refuses what cannot be a key or a value of a Secret. */
export function refuseForKubernetes(line: EnvLine): Refusal | undefined {
  if (line.name.length > keyLengthMax) {
    return {
      code: "bad_name",
      reason: "is too long for a key of a Kubernetes Secret.",
      remedy: `Use a name of at most ${keyLengthMax} characters.`,
    };
  }
  if (Buffer.byteLength(line.value.reveal()) > valueBytesMax) return tooLong;
  return refuseNoText(line);
}

function badSecretName(name: string): EnvFormatError {
  return new EnvFormatError(
    "bad_name",
    name,
    "is not a valid name for a Kubernetes Secret.",
    "Use lower-case letters, digits, dashes and dots, with a letter or digit at each end.",
  );
}
