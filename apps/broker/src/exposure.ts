import type { Warning } from "@keyloan/contract";
import type { BrokerConfig } from "./env.ts";

type Exposed = Pick<
  BrokerConfig,
  | "host"
  | "publicUrl"
  | "trustedProxies"
  | "metricsPort"
  | "metricsHost"
  | "metricsToken"
  | "renamedVariables"
>;

/** What an operator should look at in the configuration: who reaches the broker, and how. It works all the same. */
export function exposureWarnings(config: Exposed): readonly Warning[] {
  const { host, publicUrl, trustedProxies, metricsPort, metricsHost, metricsToken } = config;
  const isOpen = !isLoopback(host);
  const url = publicUrl === undefined ? undefined : new URL(publicUrl);
  const warnings: Warning[] = [];
  if (isOpen && url === undefined) {
    warnings.push({
      code: "no_public_url",
      message:
        "The broker listens beyond this machine without KEYLOAN_PUBLIC_URL: tokens, keys and cookies travel unencrypted, and links start with whatever host a request names.",
      remedy:
        "Put a proxy that terminates TLS in front of the broker and set KEYLOAN_PUBLIC_URL to its https address, or listen on 127.0.0.1.",
    });
  }
  if (url?.protocol === "http:" && (isOpen || !isLoopback(url.hostname))) {
    warnings.push({
      code: "plain_http",
      message: "KEYLOAN_PUBLIC_URL is not https: tokens, keys and cookies travel unencrypted.",
      remedy:
        "Put a proxy that terminates TLS in front of the broker and set KEYLOAN_PUBLIC_URL to its https address.",
    });
  }
  if (url?.protocol === "https:" && trustedProxies.length === 0) {
    warnings.push({
      code: "no_trusted_proxies",
      message:
        "KEYLOAN_PUBLIC_URL is https, so there must be a proxy in front, but KEYLOAN_TRUSTED_PROXIES is not set: all callers without a valid token or session count as one.",
      remedy: "Set KEYLOAN_TRUSTED_PROXIES to the network that the proxy connects from.",
    });
  }
  if (metricsPort !== undefined && !isLoopback(metricsHost) && metricsToken === undefined) {
    warnings.push({
      code: "open_metrics",
      message: "Anyone who can reach the port of the metrics from another machine can read them.",
      remedy: "Set KEYLOAN_METRICS_TOKEN, or set KEYLOAN_METRICS_HOST to 127.0.0.1.",
    });
  }
  for (const { from, to } of config.renamedVariables) {
    warnings.push({
      code: "renamed_variable",
      message: `${from} is now called ${to}; the next version will not read the old name.`,
      remedy: `Set ${to} instead.`,
    });
  }
  return warnings;
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
