import type { PageQuery } from "@keyloan/sdk/parts";
import { eachOfPages } from "@keyloan/sdk/parts";
import type { Invocation, OptionSpec } from "./command.ts";
import { note, printJson } from "./output.ts";
import { type Column, printTable } from "./table.ts";
import { integerOf } from "./values.ts";

/** The options every list has. */
export const listOptions: Readonly<Record<string, OptionSpec>> = {
  limit: { type: "text", value: "count", help: "entries per page, 1 to 200; default 50" },
  cursor: { type: "text", value: "cursor", help: "continue after an earlier page" },
  all: { type: "flag", help: "fetch every page" },
};

export type Page<Entry> = { readonly entries: readonly Entry[]; readonly nextCursor?: string | undefined };

export type Listing<Entry> = {
  /** The name of the list in the JSON output, as in the API. */
  readonly member: string;
  readonly page: (query: PageQuery) => Promise<Page<Entry>>;
  readonly columns: readonly Column<Entry>[];
  readonly empty: string;
};

/** Fetches one page, or all with `--all`, and prints it as a table or as JSON. */
export async function showList<Entry>(
  { args, io, json }: Invocation,
  listing: Listing<Entry>,
): Promise<number> {
  const query = { cursor: args.text("cursor"), limit: integerOf(args, "limit", 1, 200) };
  const { entries, nextCursor } = args.flag("all")
    ? await allPages(listing, query)
    : await listing.page(query);
  if (json) {
    printJson(io, { [listing.member]: entries, ...(nextCursor === undefined ? {} : { nextCursor }) });
    return 0;
  }
  if (entries.length === 0) note(io, listing.empty);
  else printTable(io, listing.columns, entries);
  if (nextCursor !== undefined) note(io, `There is more: --cursor ${nextCursor}, or --all`);
  return 0;
}

async function allPages<Entry>(listing: Listing<Entry>, query: PageQuery): Promise<Page<Entry>> {
  const entries: Entry[] = [];
  for await (const entry of eachOfPages(listing.page, (page) => page.entries, query)) entries.push(entry);
  return { entries };
}
