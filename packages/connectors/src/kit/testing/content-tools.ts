import type { ConnectorContext, DatabaseContent, DatabaseSummary, SecretValues } from "@keyloan/contract";

/** What the promises of a database's content are tried with. */
export type ContentTools = {
  readonly content: DatabaseContent;
  readonly context: () => ConnectorContext;
  /** Values of a new and empty database. */
  readonly newDatabase: () => Promise<SecretValues>;
  readonly run: (values: SecretValues, ...statements: readonly string[]) => Promise<void>;
  readonly dump: (values: SecretValues) => Promise<Buffer>;
  readonly load: (values: SecretValues, dump: Uint8Array) => Promise<void>;
  readonly summarize: (values: SecretValues) => Promise<DatabaseSummary>;
};

export const table = "CREATE TABLE kl_first (id INTEGER PRIMARY KEY, body TEXT)";
export const row = (id: number) => `INSERT INTO kl_first VALUES (${id}, 'body ${id}')`;

/** A dump as it may come: in small pieces. */
export async function* inPieces(dump: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < dump.length; index += 97) yield dump.subarray(index, index + 97);
}

/** A dump as a whole. */
export async function collect(dump: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of dump) chunks.push(chunk);
  return Buffer.concat(chunks);
}
