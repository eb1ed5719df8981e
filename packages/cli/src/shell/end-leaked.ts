import type { AuditMatch } from "@keyloan/contract";
import type { Client } from "@keyloan/sdk";
import { KeyloanError } from "@keyloan/sdk";
import { follow } from "./follow.ts";
import type { Io } from "./io.ts";
import { titleOf } from "./show-match.ts";
import { isOver } from "./show-rotation.ts";

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
  if (match.what === "token" && isRevocable(match))
    return `revoke the token ${match.tokenId} and end the links that it made`;
  return undefined;
}

/** Ends a leaked value, or says what only a person can do. A refusal of the broker is an ending too: not ended. */
export async function endLeaked(io: Io, client: Client, match: AuditMatch): Promise<Ending> {
  const what = titleOf(match);
  if (!match.alive) return { what, ended: true, message: "it was already dead" };
  try {
    if (match.what === "lease") return { what, ...(await rotate(io, client, match.leaseId)) };
    if (match.what === "token" && isRevocable(match)) {
      await client.tokens.revoke(match.tokenId ?? "", { leaked: true });
      return { what, ended: true, message: "it is revoked" };
    }
    return { what, ended: false, message: byHand(match) };
  } catch (error) {
    if (!(error instanceof KeyloanError)) throw error;
    const message = [error.message, error.remedy ?? ""].join(" ").trim();
    return { what, ended: false, message };
  }
}

const waitMsMax = 120_000;

async function rotate(
  io: Io,
  { rotations }: Client,
  leaseId: string,
): Promise<{ ended: boolean; message: string }> {
  const { state, next } = await follow(io, () => undefined, {
    first: await rotations.start(leaseId, { overlapSeconds: 0, reason: "leak" }),
    ask: () => rotations.get(leaseId),
    isAt: (rotation) => (isOver(rotation.state) ? undefined : rotation.state),
    until: io.now() + waitMsMax,
  });
  const late = isOver(state)
    ? ""
    : "The broker continues automatically; report the value again to see the result. ";
  return { ended: state === "done" || state === "ended", message: late + next };
}

function isRevocable(match: AuditMatch): boolean {
  return match.what === "token" && ["api", "build"].includes(match.kind) && match.tokenId !== undefined;
}

/** What a person has to do about a value that cannot be ended from here. */
function byHand(match: AuditMatch): string {
  if (match.what === "org_key") {
    return `make a new key at the provider, set it with keyloan org-keys set ${match.connector}, then delete the old one at the provider`;
  }
  if (match.what === "token" && match.kind === "admin") {
    return "set a new KEYLOAN_ADMIN_TOKEN and restart every broker";
  }
  if (match.what === "token" && match.kind === "recovery") {
    return `its owner can make a new recovery code on the settings page of ${match.buildId}, which ends this one`;
  }
  if (match.what === "token" && match.kind === "person") {
    return `it proves who the user of ${match.buildId} is: only they can make their browser forget it, or close the build`;
  }
  if (match.what === "token" && match.buildId !== undefined) {
    return `it opens the settings page of ${match.buildId}: make a new link with keyloan build link, or close the build`;
  }
  return "close the build it belongs to";
}
