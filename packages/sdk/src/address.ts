import { addressOf, type KnownRoute } from "@keyloan/contract/calls";
import { KeyloanError } from "./errors.ts";
import type { TransportRequest } from "./transport.ts";

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * The broker's base address, checked: http or https, no credentials, query or fragment.
 * `http://` is accepted for this machine only, unless `allowInsecure` is set, because the token
 * would travel in the clear.
 * @throws KeyloanError `invalid_url` or `insecure_url`
 */
export function parseAddress(text: string, allowInsecure = false): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new KeyloanError("invalid_url", "The broker's address is not an http or https URL.", {
      remedy: "Set KEYLOAN_URL to something like https://keyloan.example.com or http://127.0.0.1:8787.",
    });
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new KeyloanError("invalid_url", "The broker's address holds more than a host, a port and a path.", {
      remedy: "Remove the user name, password, query and fragment; the token goes into KEYLOAN_TOKEN.",
    });
  }
  if (url.protocol === "http:" && !allowInsecure && !loopbackHost.test(url.hostname)) {
    throw new KeyloanError(
      "insecure_url",
      `The token would travel to ${url.host} unencrypted, because the address starts with http://.`,
      {
        remedy:
          "Use https://. If the network in between is trusted, set KEYLOAN_ALLOW_HTTP=1 (SDK: allowInsecure).",
      },
    );
  }
  return url;
}

/** The full address of a route, below whatever path the base address has. */
export function routeUrl(base: URL, path: string, query: Readonly<Record<string, unknown>> = {}): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, "")}${path}`;
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

/**
 * Method and path of a call.
 * @throws KeyloanError `invalid_argument` for a parameter that would address something else
 */
export function routeParts(route: KnownRoute, params: Readonly<Record<string, string>> = {}) {
  for (const [name, value] of Object.entries(params)) {
    if (/^\.{0,2}$/.test(value)) throw malformed(`the ${name.replace(/Id$/, " id")}`);
  }
  const { method, path } = addressOf(route, { params });
  return { method: method as TransportRequest["method"], path };
}

function malformed(what: string): KeyloanError {
  return new KeyloanError("invalid_argument", `${what} is missing or malformed.`, {
    remedy: `Give ${what} as the broker showed it.`,
  });
}
