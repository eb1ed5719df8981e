import type { Family } from "../attack.ts";
import { crossSite } from "./cross-site.ts";
import { envReaders } from "./env-readers.ts";
import { floods } from "./floods.ts";
import { foreignReads } from "./foreign-reads.ts";
import { forgedAudit } from "./forged-audit.ts";
import { forgedRows } from "./forged-rows.ts";
import { forgedSchema } from "./forged-schema.ts";
import { hostileIds } from "./hostile-ids.ts";
import { lentDatabase } from "./lent-database.ts";
import { links } from "./links.ts";
import { madeUpCredentials } from "./made-up-credentials.ts";
import { platformTokens } from "./platform-tokens.ts";
import { proofs } from "./proofs.ts";
import { raceFamily } from "./races.ts";
import { recoveryCodes } from "./recovery-codes.ts";
import { unprovenSessions } from "./unproven-sessions.ts";

/** THE list of attacks. Floods come last: they use up what strangers may ask. */
export const families: readonly Family[] = [
  foreignReads,
  unprovenSessions,
  platformTokens,
  links,
  crossSite,
  madeUpCredentials,
  hostileIds,
  raceFamily,
  recoveryCodes,
  proofs,
  envReaders,
  lentDatabase,
  forgedSchema,
  forgedAudit,
  forgedRows,
  floods,
];
