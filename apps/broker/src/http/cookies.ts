import { BrokerError, idPattern, limits } from "@keyloan/contract";
import { getCookie, setCookie } from "hono/cookie";
import type { BrokerContext } from "./context.ts";

const buildPattern = idPattern("build");
const personName = "keyloan_person";
const sessionPrefix = "keyloan_session_";

/** How cookies are called in the documentation, where the browser reaches us over https. */
export const cookieNames = { person: `__Host-${personName}`, session: `__Host-${sessionPrefix}<build id>` };

/**
 * Browsers keep `__Host-` cookies for this very host alone, and send them over https alone. On http they take none,
 * so there the prefix is left out, which only a browser on the same machine may do without.
 */
function hostPrefix(context: BrokerContext): "__Host-" | "" {
  return context.var.deps.config.publicUrl?.startsWith("https:") === true ? "__Host-" : "";
}

/** @throws BrokerError `forbidden` where a cookie would cross a network in the clear */
export function refuseOpenNetwork(context: BrokerContext): void {
  if (hostPrefix(context) !== "") return;
  const { publicUrl } = context.var.deps.config;
  const hosts = [new URL(context.req.url).hostname, ...(publicUrl === undefined ? [] : [hostOf(publicUrl)])];
  if (hosts.every(isLoopback)) return;
  throw new BrokerError(
    "forbidden",
    "the settings page opens only over https, and this address is not https",
    {
      remedy:
        "The operator must set KEYLOAN_PUBLIC_URL to the https address that users reach; then make a new link.",
    },
  );
}

/** The sessions that the browser brings, by build. */
export function sessionTexts(context: BrokerContext): ReadonlyMap<string, string> {
  const prefix = hostPrefix(context) + sessionPrefix;
  return new Map(
    Object.entries(getCookie(context)).flatMap(([name, text]): [string, string][] => {
      const buildId = name.startsWith(prefix) ? name.slice(prefix.length) : "";
      return buildPattern.test(buildId) ? [[buildId, text]] : [];
    }),
  );
}

/** An empty text ends the cookie. */
export function setSessionCookie(context: BrokerContext, buildId: string, text: string): void {
  set(context, sessionPrefix + buildId, text, limits.sessionLifetimeSecondsMax);
}

/** What the browser proves its person with; one for every build it knows. */
export function personText(context: BrokerContext): string | undefined {
  return getCookie(context)[hostPrefix(context) + personName];
}

/** An empty text ends the cookie. */
export function setPersonCookie(context: BrokerContext, text: string): void {
  set(context, personName, text, limits.lifetimeSecondsMax);
}

function set(context: BrokerContext, name: string, text: string, lifeSeconds: number): void {
  const prefix = hostPrefix(context);
  setCookie(context, prefix + name, text, {
    httpOnly: true,
    sameSite: "Strict",
    path: "/",
    secure: prefix !== "",
    maxAge: text === "" ? 0 : lifeSeconds,
  });
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : "";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
