import { type Actor, BrokerError, type TokenPermission } from "@keyloan/contract";
import type { LeaseRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isKeptForUser } from "../lending/is-kept-for-user.ts";

const refusals: Readonly<
  Record<TokenPermission | "overwrite" | "lent", { message: string; remedy: string }>
> = {
  transfer: {
    message: "the app's user has saved their own keys, and decides whether data is moved to their account",
    remedy:
      "They can move it on the settings page, to which `keyloan build link` makes a link, or allow it there for tokens.",
  },
  revert: {
    message: "the app's user has saved their own keys, and decides which of them the app uses",
    remedy:
      "They can go back on the settings page, or allow it there for tokens. The admin can go back with a reason, which the page shows: `keyloan rollback <build> --reason …`.",
  },
  overwrite: {
    message: "no token can replace what is in an account of the app's user",
    remedy: "The user can do it on the settings page. Without `overwrite` none of their data is replaced.",
  },
  lent: {
    message:
      "the app's user has switched, and the lent keys are kept so that they can go back or for the preview",
    remedy:
      "Wait until the time to go back is over. Replace a leaked credential with `keyloan lease rotate`, which keeps what was lent; closing the build ends all of it.",
  },
};

/**
 * Lets a token act on the user's own accounts only as far as they allow it. A session is the page's matter.
 * @throws BrokerError `person_decides` once anything is saved and this kind is not allowed
 */
export async function refuseUnlessAllowed(
  tables: Pick<Tables, "persons" | "userKeys">,
  actor: Actor,
  buildId: string,
  kind: TokenPermission,
): Promise<void> {
  if (!isToken(actor)) return;
  const person = await tables.persons.findByBuild(buildId);
  if (person?.allows.includes(kind) === true) return;
  if (person === undefined && (await tables.userKeys.listByBuild(buildId)).length === 0) return;
  throw personDecides(kind);
}

/** @throws BrokerError `person_decides` for any token, whatever is allowed */
export function refuseOverwriteByToken(actor: Actor, overwrite: boolean): void {
  if (overwrite && isToken(actor)) throw personDecides("overwrite");
}

/** @throws BrokerError `person_decides` for any token that would end or put away what the user can go back to */
export async function refuseWhileKept(
  deps: Pick<Deps, "config" | "now">,
  tables: Pick<Tables, "builds" | "bindings">,
  actor: Actor,
  lease: LeaseRow,
): Promise<void> {
  if (isToken(actor) && (await isKeptForUser(deps, tables, lease))) throw personDecides("lent");
}

function isToken({ kind }: Actor): boolean {
  return kind === "admin" || kind === "platform" || kind === "workload";
}

function personDecides(kind: keyof typeof refusals): BrokerError {
  const { message, remedy } = refusals[kind];
  return new BrokerError("person_decides", message, { remedy, details: { kind } });
}
