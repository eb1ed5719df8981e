import { ProviderError } from "@keyloan/contract";

/**
 * A token's life in Turso's notation, such as `1d2h30m`, rounded up to whole minutes.
 * Never empty and never `never`, which is what the API takes for granted when nothing is sent.
 * @throws ProviderError `rejected` when the lease has ended already
 */
export function toExpiration(expiresAt: number, now: number): string {
  const minutes = Math.ceil((expiresAt - now) / 60_000);
  if (!(minutes > 0)) {
    throw new ProviderError("turso", "rejected", "was not asked: the lease has ended", {
      remedy: "Renew the build before its end, or make a new one.",
    });
  }
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor(minutes / 60) % 24, "h"],
    [minutes % 60, "m"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join("");
}
