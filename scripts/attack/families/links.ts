import { each, type Family, spoilIf } from "../attack.ts";
import { newBrowser } from "../client.ts";
import type { Ground } from "../ground.ts";

/** What mail scanners, previews and prerenderers ask for. */
const machines: Readonly<
  Record<string, (code: string) => readonly [string, string, Record<string, string>]>
> = {
  fetch: (code) => ["GET", `/settings#code=${code}`, {}],
  "fetch-with-the-code-in-the-query": (code) => ["GET", `/settings?code=${code}`, {}],
  head: () => ["HEAD", "/settings", {}],
  prefetch: () => ["GET", "/settings", { "sec-purpose": "prefetch", purpose: "prefetch" }],
  prerender: () => ["GET", "/settings", { "sec-purpose": "prefetch;prerender" }],
  "post-without-the-pages-header": () => ["POST", "/v1/session", {}],
  "post-from-another-site": () => [
    "POST",
    "/v1/session",
    { "x-keyloan-session": "1", origin: "https://scanner.example", "sec-fetch-site": "cross-site" },
  ],
};

export const links: Family = {
  name: "links",
  on: "broker",
  attacks: [
    ...each(machines, async (ground: Ground, requestOf) => {
      const { id } = await ground.newBuild();
      const code = await ground.newCode(id);
      const [method, path, headers] = requestOf(code);
      await ground.send(method, path, { headers, ...(method === "POST" ? { body: { code } } : {}) });
      const opened = await newBrowser(ground.send).send("POST", "/v1/session", { body: { code } });
      return spoilIf(opened.status !== 201, "the link was spent before its user opened it");
    }),
    {
      id: "open-twice",
      run: async (ground) => {
        const { id } = await ground.newBuild();
        const code = await ground.newCode(id);
        const open = () => newBrowser(ground.send).send("POST", "/v1/session", { body: { code } });
        await open();
        return spoilIf((await open()).status === 201, "a used link opens again");
      },
    },
    {
      id: "an-older-link",
      run: async (ground) => {
        const { id } = await ground.newBuild();
        const older = await ground.newCode(id);
        await ground.newCode(id);
        const answer = await newBrowser(ground.send).send("POST", "/v1/session", { body: { code: older } });
        return spoilIf(answer.status === 201, "a link that was replaced opens");
      },
    },
    {
      id: "as-a-token",
      run: async (ground) => {
        const { id } = await ground.victim();
        const token = await ground.newCode(id);
        const answer = await ground.send("GET", `/v1/builds/${id}/env`, { token });
        return spoilIf(answer.status !== 401, `a link's code as a token: ${answer.status}`);
      },
    },
    {
      id: "an-ended-session",
      run: async (ground) => {
        const { id } = await ground.newBuild();
        const browser = await ground.visit(id);
        const cookie = browser.cookieHeader();
        await browser.send("DELETE", "/v1/session");
        const answer = await ground.send("GET", "/v1/settings", {
          headers: { cookie, "x-keyloan-build": id },
        });
        return spoilIf(answer.status !== 401, `a session that has ended answers ${answer.status}`);
      },
    },
  ],
};
