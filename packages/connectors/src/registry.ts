import {
  type CatalogEntry,
  type Connector,
  connectorCategories,
  isolationGradeMeanings,
} from "@keyloan/contract";
import * as providers from "./providers.ts";

/** Every connector, ordered by category and label: the order of every screen and list. */
export const connectors: readonly Connector[] = Object.values(providers).toSorted(
  ({ spec: a }, { spec: b }) =>
    connectorCategories.indexOf(a.category) - connectorCategories.indexOf(b.category) ||
    a.label.localeCompare(b.label, "en"),
);

/** What callers may know of connectors, as `GET /v1/catalog` answers it. */
export function toCatalogEntries(list: readonly Connector[]): CatalogEntry[] {
  return list.map(({ spec }) => ({
    id: spec.id,
    label: spec.label,
    category: spec.category,
    summary: spec.summary,
    grade: spec.grade,
    gradeMeaning: isolationGradeMeanings[spec.grade],
    revocation: spec.revocation,
    ...(spec.guide === undefined ? {} : { guide: spec.guide }),
    ...(spec.onSwap === undefined ? {} : { onSwap: spec.onSwap }),
    orgFields: [...spec.orgFields],
    env: [...spec.env],
  }));
}
