import { ProviderError, type SecretValues, type StorageContent, secretValues } from "@keyloan/contract";
import type { TransferEnd } from "../transfer-failure.ts";
import { fakeContext, sha256, type Trouble } from "./fake-end.ts";

/** Rejects when the signal is aborted, as a call to a provider does. */
function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(new ProviderError("fake", "timeout", "was ended"));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

/** Buckets in memory by the name that the variable holds, with the interface that connectors provide. */
export function fakeStorage(names: readonly string[], variable = "NAME") {
  const buckets = new Map(names.map((name) => [name, new Map<string, string>()]));
  const trouble: Record<string, Trouble> = Object.fromEntries(names.map((name) => [name, {}]));
  const copied: string[] = [];
  const bucket = (name: string) => {
    const found = buckets.get(name) ?? new Map<string, string>();
    buckets.set(name, found);
    return found;
  };
  const bucketOf = async (values: SecretValues, step: string) => {
    const name = values[variable]?.reveal() ?? "";
    await trouble[name]?.[step]?.();
    return bucket(name);
  };
  const hashed = (text: string) => ({ bytes: Buffer.byteLength(text), sha256: sha256(text) });
  const versionOf = (text: string | undefined) => (text === undefined ? undefined : `"${sha256(text)}"`);
  const storage: StorageContent = {
    async *list(_context, values) {
      for (const [key, text] of await bucketOf(values, "list")) yield { key, bytes: Buffer.byteLength(text) };
    },
    async copy(from, to, { key }, onBytes, over) {
      const text = (await bucketOf(from.values, "read")).get(key);
      if (text === undefined) throw new ProviderError("fake", "not_found", "has no such object");
      const bucket = await Promise.race([bucketOf(to.values, "write"), ended(to.context.signal)]);
      if (versionOf(bucket.get(key)) !== over) return undefined;
      bucket.set(key, text);
      copied.push(key);
      onBytes?.(Buffer.byteLength(text));
      return hashed(text);
    },
    async hash(_context, values, key) {
      const text = (await bucketOf(values, "hash")).get(key);
      return text === undefined ? undefined : { ...hashed(text), version: versionOf(text) ?? "" };
    },
  };
  return {
    storage,
    trouble,
    copied,
    bucket,
    end: (name: string): TransferEnd => ({
      context: fakeContext(),
      values: secretValues({ [variable]: name }),
    }),
  };
}
