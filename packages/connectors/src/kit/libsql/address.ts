/** The address for HTTP calls, from a database URL in any form that clients accept; `undefined` for other URLs. */
export function toHttpAddress(databaseUrl: string): string | undefined {
  if (!URL.canParse(databaseUrl)) return undefined;
  const { protocol, host, username, password, pathname, search, hash } = new URL(databaseUrl);
  const plain = search === "?tls=0" && protocol === "libsql:";
  const scheme = plain ? "http" : schemes[protocol];
  const bare = username === "" && password === "" && (pathname === "" || pathname === "/") && hash === "";
  return scheme === undefined || !bare || host === "" ? undefined : `${scheme}://${host}`;
}

const schemes: Readonly<Record<string, "http" | "https">> = {
  "libsql:": "https",
  "https:": "https",
  "wss:": "https",
  "http:": "http",
  "ws:": "http",
};
