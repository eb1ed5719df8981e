import { each, type Family, spoilIf } from "../attack.ts";
import type { Ground } from "../ground.ts";

/** What a page of another site can make the person's browser send. */
const requests: Readonly<Record<string, { headers: Record<string, string>; raw?: string }>> = {
  "without-the-header": { headers: {} },
  "foreign-origin": { headers: { "x-keyloan-session": "1", origin: "https://evil.example" } },
  "null-origin": { headers: { "x-keyloan-session": "1", origin: "null" } },
  "cross-site": { headers: { "x-keyloan-session": "1", "sec-fetch-site": "cross-site" } },
  "same-site": { headers: { "x-keyloan-session": "1", "sec-fetch-site": "same-site" } },
  "sub-domain": { headers: { "x-keyloan-session": "1", origin: "http://evil.127.0.0.1" } },
  "origin-with-our-name-in-it": {
    headers: { "x-keyloan-session": "1", origin: "http://127.0.0.1.evil.example" },
  },
  "as-a-form": { headers: { "content-type": "application/x-www-form-urlencoded" }, raw: "tokensMay=revert" },
  "as-text": { headers: { "content-type": "text/plain", "x-keyloan-session": "1" } },
};

export const crossSite: Family = {
  name: "cross-site",
  on: "broker",
  attacks: [
    ...each(requests, async (ground: Ground, { headers, raw }) => {
      const { person, id } = await ground.victim();
      const { version } = (await person.send("GET", "/v1/settings")).json;
      const content = raw ?? JSON.stringify({ tokensMay: ["revert"], expectedVersion: version });
      const answer = await ground.send("PUT", "/v1/settings/tokens-may", {
        raw: content,
        headers: { cookie: person.cookieHeader(), "x-keyloan-build": id, ...headers },
      });
      return spoilIf(answer.status < 400, `another site changes settings: ${answer.status}`);
    }),
    {
      id: "read-by-cors",
      run: async (ground) => {
        const { person, id } = await ground.victim();
        const answer = await ground.send("GET", "/v1/settings", {
          headers: {
            cookie: person.cookieHeader(),
            "x-keyloan-build": id,
            origin: "https://evil.example",
          },
        });
        const allowed = answer.headers.get("access-control-allow-origin");
        return spoilIf(allowed !== null, `cross-origin reads are allowed to ${allowed}`);
      },
    },
    {
      id: "in-a-frame",
      run: async (ground) => {
        const { headers } = await ground.send("GET", "/settings");
        const policy = headers.get("content-security-policy") ?? "";
        return spoilIf(!/frame-ancestors 'none'/.test(policy), "another site may frame the page");
      },
    },
    {
      id: "cookies-readable-by-script",
      run: async (ground) => {
        const code = await ground.newCode((await ground.newBuild()).id);
        const opened = await ground.send("POST", "/v1/session", {
          body: { code },
          headers: { "x-keyloan-session": "1" },
        });
        const weak = opened.headers
          .getSetCookie()
          .filter((line) => !/httponly/i.test(line) || !/samesite=strict/i.test(line));
        return spoilIf(weak.length > 0 || opened.status !== 201, "a cookie is not HttpOnly and SameSite");
      },
    },
  ],
};
