import type { AuditMatch, RotationView } from "@keyloan/contract";
import { pathSegment } from "../address.ts";
import { bodyOf } from "../answer.ts";
import type { Caller } from "../call.ts";
import { KeyloanError } from "../errors.ts";
import { titleOf } from "./show-match.ts";

/** What became of one leaked value. */
export type Ending = {
  readonly what: string;
  readonly ended: boolean;
  /** What was done, or what has to be done by hand. */
  readonly message: string;
};

/** What ending a leaked value would do, in a sentence; `undefined` when it cannot be done from here. */
export function planOf(match: AuditMatch): string | undefined {
  if (!match.alive) return undefined;
  if (match.what === "lease") {
    return `end every credential of ${match.connector} in ${match.buildId}, and give the build new values`;
  }
  if (match.what === "token" && isRevocable(match)) return `revoke the token ${match.tokenId}`;
  return undefined;
}

/** Ends a leaked value, or says what only a person can do. A refusal of the broker is an ending too: not ended. */
export async function endLeaked(caller: Caller, match: AuditMatch): Promise<Ending> {
  const what = titleOf(match);
  if (!match.alive) return { what, ended: true, message: "it was dead already" };
  try {
    if (match.what === "lease") return { what, ...(await reissue(caller, match.leaseId)) };
    if (match.what === "token" && isRevocable(match)) {
      await caller.call({
        method: "DELETE",
        path: `/v1/tokens/${pathSegment(match.tokenId ?? "", "the token id")}`,
        expect: "nothing",
      });
      return { what, ended: true, message: "it is revoked" };
    }
    return { what, ended: false, message: byHand(match) };
  } catch (error) {
    if (!(error instanceof KeyloanError)) throw error;
    const message = [error.message, error.remedy ?? ""].join(" ").trim();
    return { what, ended: false, message };
  }
}

async function reissue(caller: Caller, leaseId: string): Promise<{ ended: boolean; message: string }> {
  const lease = `/v1/leases/${pathSegment(leaseId, "the lease id")}`;
  const body = { overlapSeconds: 0, reason: "leak" };
  const begun = await caller.call({ method: "POST", path: `${lease}/reissue`, body, expect: "json" });
  let rotation = bodyOf<RotationView>(caller.base, begun, ["state", "next"]);
  for (let asked = 0; working.has(rotation.state) && asked < asksMax; asked += 1) {
    await caller.sleep(askIntervalMs);
    const answer = await caller.call({ method: "GET", path: `${lease}/rotation`, expect: "json" });
    rotation = bodyOf<RotationView>(caller.base, answer, ["state", "next"]);
  }
  const ended = rotation.state === "done" || rotation.state === "ended";
  const late = working.has(rotation.state)
    ? "It goes on by itself; report the value again to see the end. "
    : "";
  return { ended, message: late + rotation.next };
}

/** States of a re-issue that go on by themselves. */
const working: ReadonlySet<string> = new Set(["minting", "overlapping", "cutting", "proving"]);
const askIntervalMs = 1_000;
const asksMax = 120;

function isRevocable(match: AuditMatch): boolean {
  return match.what === "token" && ["api", "build"].includes(match.kind) && match.tokenId !== undefined;
}

/** What a person has to do about a value that cannot be ended from here. */
function byHand(match: AuditMatch): string {
  if (match.what === "org_key") {
    return `make a new key at the provider, put it with keyloan org-keys set ${match.connector}, then delete the old one at the provider`;
  }
  if (match.what === "token" && match.kind === "admin") {
    return "set a new KEYLOAN_ADMIN_TOKEN and restart every broker";
  }
  if (match.what === "token" && match.buildId !== undefined) {
    return `it opens the settings page of ${match.buildId}: make a new link with keyloan build link, or close the build`;
  }
  return "close the build it belongs to";
}
