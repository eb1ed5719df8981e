import type { SessionRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";

/** A visitor of a build's settings page, and in which request. */
export type Visit = By & { readonly session: SessionRow };
