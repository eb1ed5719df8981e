import { each, type Family, spoilIf } from "../attack.ts";
import { newBrowser } from "../client.ts";
import type { Ground } from "../ground.ts";

/** Codes made of the victim's own: each is one step away from right. */
const codes: Readonly<Record<string, (code: string, foreign: string) => string>> = {
  "last-character": (code) => code.slice(0, -1) + (code.endsWith("0") ? "1" : "0"),
  "last-group-missing": (code) => code.slice(0, code.lastIndexOf("-")),
  "groups-in-another-order": (code) => code.split("-").toReversed().join("-"),
  "another-persons-for-this-build": (code, foreign) => code.slice(0, 28) + foreign.slice(28),
  "another-persons": (_, foreign) => foreign,
  "all-zeros": (code) => code.slice(0, 28) + code.slice(28).replaceAll(/[a-z0-9]/g, "0"),
  "wild-card": (code) => `${code.slice(0, 28)}%`,
  "very-long": (code) => code + code,
};

export const recoveryCodes: Family = {
  name: "recovery-codes",
  on: "broker",
  attacks: [
    ...each(codes, async (ground: Ground, change) => {
      const victim = await ground.victim();
      const other = await savedBuild(ground);
      const code = change(victim.recovery, other.recovery);
      const browser = newBrowser(ground.sendOnce);
      const answer = await browser.send("POST", "/v1/session", {
        body: { recovery: code },
        headers: { "x-forwarded-for": `203.0.113.${Math.floor(Math.random() * 250)}` },
      });
      const opened = answer.status === 201 && answer.json.buildId === victim.id;
      return spoilIf(opened, "a code that was never shown opens the settings");
    }),
    {
      id: "an-older-code",
      run: async (ground) => {
        const { person, recovery } = await savedBuild(ground);
        const renewed = await person.send("POST", "/v1/settings/recovery", { body: {} });
        if (renewed.status !== 200 && renewed.status !== 201) return `no new code: ${renewed.status}`;
        const answer = await newBrowser(ground.sendOnce).send("POST", "/v1/session", { body: { recovery } });
        return spoilIf(answer.status === 201, "the old code works after a new one was made");
      },
    },
    {
      id: "guess-without-end",
      run: async (ground) => {
        const { recovery } = await savedBuild(ground);
        const statuses: number[] = [];
        for (let tries = 0; tries < 12; tries++) {
          const guess = recovery.slice(0, -1) + "0123456789abcdefghjk"[tries];
          const answer = await newBrowser(ground.sendOnce).send("POST", "/v1/session", {
            body: { recovery: guess },
          });
          statuses.push(answer.status);
        }
        return spoilIf(!statuses.includes(429), `twelve tries in a row: ${statuses.join(", ")}`);
      },
    },
  ],
};

async function savedBuild(ground: Ground) {
  const { id } = await ground.newBuild();
  const person = await ground.visit(id);
  const { json } = await ground.save(person);
  const { recovery } = json as { recovery?: { code: string } };
  return { id, person, recovery: recovery?.code ?? "" };
}
