import { type EnvVarSpec, publicPrefixes, type Secret } from "@keyloan/contract";
import { EnvFormatError } from "./env-format-error.ts";

// The prefixes of the profiles, and those with which other frameworks put a variable into a client bundle.
const bundledPrefixes = [
  ...Object.values(publicPrefixes).filter((prefix) => prefix !== ""),
  ...["PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_", "GATSBY_", "VUE_APP_", "NG_APP_"],
];

/** Whether some framework sends a variable of this name to browsers. */
export function isPublicName(name: string): boolean {
  return bundledPrefixes.some((prefix) => name.startsWith(prefix));
}

/** @throws EnvFormatError `secret_exposed` if a secret or server-only variable would get a public name */
export function checkExposure(name: string, spec: EnvVarSpec): void {
  if (
    spec.secret
      ? isPublicName(name) || spec.exposure === "browser"
      : isPublicName(name) && spec.exposure === "server"
  ) {
    throw new EnvFormatError(
      "secret_exposed",
      name,
      "is a name that browsers can see, but its value must stay on the server.",
      "Fix the connector's spec: a secret has no public name.",
    );
  }
}

/**
 * Refuses a secret's value under a public name, whatever the specs say about that name.
 * @throws EnvFormatError `secret_exposed`
 */
export function checkPublicValues(
  publicLines: readonly { readonly name: string; readonly value: Secret }[],
  secrets: readonly Secret[],
): void {
  if (publicLines.length === 0) return;
  const secretTexts = new Set(secrets.map((secret) => secret.reveal()));
  secretTexts.delete("");
  for (const { name, value } of publicLines) {
    if (secretTexts.has(value.reveal())) {
      throw new EnvFormatError(
        "secret_exposed",
        name,
        "is a name that browsers can see, but it has the value of a secret.",
        "Use the publishable value there; the secret one may have been pasted twice.",
      );
    }
  }
}
