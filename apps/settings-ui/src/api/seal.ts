import type { KeySubmission } from "@keyloan/contract";
import { RequestError } from "./request.ts";

/**
 * Seals values to the session's public key (libsodium sealed box), so that nothing between this page and the
 * broker can read them. The library is loaded here and not with the page.
 * @throws RequestError when the library cannot be loaded
 */
export async function sealValues(
  values: Readonly<Record<string, string>>,
  sealingKey: string,
): Promise<KeySubmission> {
  const sodium = await loadSodium();
  const { URLSAFE_NO_PADDING } = sodium.base64_variants;
  const text = new TextEncoder().encode(JSON.stringify({ values }));
  const box = sodium.crypto_box_seal(text, sodium.from_base64(sealingKey, URLSAFE_NO_PADDING));
  sodium.memzero(text);
  return { sealed: sodium.to_base64(box, URLSAFE_NO_PADDING) };
}

/** Loads the library ahead of need; a failure is told when it is needed. */
export function prepareSealing(): void {
  loadSodium().catch(() => undefined);
}

async function loadSodium() {
  try {
    const { default: sodium } = await import("libsodium-wrappers");
    await sodium.ready;
    return sodium;
  } catch {
    throw new RequestError({
      code: "sealing_unavailable",
      message: "We could not load the part of this page that seals your keys, so nothing was sent.",
      remedy: "Check your connection and try again.",
    });
  }
}
