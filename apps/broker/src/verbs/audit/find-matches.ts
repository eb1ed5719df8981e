import type { AuditMatch, AuditMatches, Secret } from "@keyloan/contract";
import { type By, recordAudit } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { describeIssued } from "./describe-issued.ts";
import { describeToken } from "./describe-token.ts";

/** A value somebody asks about. */
export type AskedValue = {
  readonly value: Secret;
  /** Its hash, when it has the form of a token, code or session of ours. */
  readonly tokenHash?: string;
};

/**
 * Which of the values were ever lent to a build, put by the org, or are tokens of ours. Values are looked up by
 * their keyed hashes and go nowhere else. A user's own values are not known here: they were never lent.
 */
export async function findMatches(deps: Deps, by: By, asked: readonly AskedValue[]): Promise<AuditMatches> {
  const matches = [...(await matchIssued(deps, asked)), ...(await matchTokens(deps, asked))].toSorted(
    (a, b) => a.index - b.index,
  );
  const entities = [...new Set(matches.map(entityOf))];
  const details = { asked: asked.length, found: matches.length, entities: entities.slice(0, entitiesMax) };
  await recordAudit(deps, { ...by, action: "audit.matched", entity: "audit", details });
  return { asked: asked.length, matches };
}

const entitiesMax = 50;

async function matchIssued(deps: Deps, asked: readonly AskedValue[]): Promise<AuditMatch[]> {
  const indexes = Map.groupBy(asked.keys(), (index) => fingerprintAt(deps, asked, index));
  const rows = await deps.store.read.fingerprints.findAny([...indexes.keys()]);
  const matches: AuditMatch[] = [];
  for (const row of rows) {
    const described = await describeIssued(deps, row);
    if (described === undefined) continue;
    for (const index of indexes.get(row.fingerprint) ?? []) matches.push({ ...described, index });
  }
  return matches;
}

async function matchTokens(deps: Deps, asked: readonly AskedValue[]): Promise<AuditMatch[]> {
  const matches: AuditMatch[] = [];
  for (const [index, { tokenHash }] of asked.entries()) {
    const described = tokenHash === undefined ? undefined : await describeToken(deps, tokenHash);
    if (described !== undefined) matches.push({ ...described, index });
  }
  return matches;
}

function fingerprintAt(deps: Deps, asked: readonly AskedValue[], index: number): string {
  const value = asked[index]?.value;
  return value === undefined ? "" : deps.fingerprint.ofValue(value);
}

function entityOf(match: AuditMatch): string {
  if (match.what === "lease") return match.leaseId;
  return match.what === "org_key" ? match.orgKeyId : (match.tokenId ?? match.kind);
}
