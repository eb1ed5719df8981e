import type { AdminHttp, HttpAnswer } from "./admin-http.ts";
import type { NamespaceKeys } from "./namespace-keys.ts";
import { checkNamespaceName } from "./namespace-name.ts";

export type NamespaceSettings = {
  readonly blockReads: boolean;
  readonly blockWrites: boolean;
  /** The reason that the server gives to a blocked client. */
  readonly blockReason: string | null;
  /** The raw Ed25519 public key, base64url: the only key whose tokens open the namespace. */
  readonly jwtKey: string;
  /** Such as `64KB` or `1GB`. */
  readonly maxDatabaseSize: string;
};

export type NamespaceStats = {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly storageBytes: number;
};

/** Typed calls to the libSQL server's admin API. Every name is checked before any call. */
export type LibsqlAdmin = {
  /** @throws LibsqlAdminError `exists` if the namespace already exists */
  readonly create: (
    namespace: string,
    settings: Pick<NamespaceSettings, "jwtKey"> & Partial<Pick<NamespaceSettings, "maxDatabaseSize">>,
  ) => Promise<void>;
  /** Deletes the namespace and its files, and ends its open connections; `false` if it does not exist. */
  readonly delete: (namespace: string) => Promise<boolean>;
  readonly exists: (namespace: string) => Promise<boolean>;
  /** @throws LibsqlAdminError `missing` if the namespace does not exist */
  readonly settings: (namespace: string) => Promise<NamespaceSettings>;
  /** Changes the given settings and keeps the others; calls for one namespace run one after the other. */
  readonly configure: (namespace: string, changes: Partial<NamespaceSettings>) => Promise<void>;
  readonly stats: (namespace: string) => Promise<NamespaceStats>;
};

export class LibsqlAdminError extends Error {
  override readonly name = "LibsqlAdminError";
  readonly code: "exists" | "missing" | "failed";
  readonly status: number;

  constructor(code: "exists" | "missing" | "failed", status: number) {
    super(`The libSQL admin API answered ${status} (${code}).`);
    this.code = code;
    this.status = status;
  }
}

/** @param onKey called with a namespace's key when it is set or read; with `undefined` if it has none or is deleted */
export function createLibsqlAdmin(http: AdminHttp, onKey: NamespaceKeys["set"]): LibsqlAdmin {
  const inTurn = createTurns();
  const path = (namespace: string, action = "") =>
    `/v1/namespaces/${checkNamespaceName(namespace)}${action === "" ? "" : `/${action}`}`;
  const readRaw = async (namespace: string) =>
    asRecord(expectOk(await http.send("GET", path(namespace, "config"))));

  return {
    create: async (namespace, { jwtKey, maxDatabaseSize }) => {
      const body = {
        jwt_key: jwtKey,
        ...(maxDatabaseSize === undefined ? {} : { max_db_size: maxDatabaseSize }),
      };
      expectOk(await http.send("POST", path(namespace, "create"), body));
      onKey(namespace, jwtKey);
    },
    delete: async (namespace) => {
      const answer = await http.send("DELETE", path(namespace), {});
      onKey(namespace, undefined);
      if (answer.status === 404) return false;
      expectOk(answer);
      return true;
    },
    exists: async (namespace) => {
      const answer = await http.send("GET", path(namespace, "config"));
      if (answer.status === 404) return false;
      expectOk(answer);
      return true;
    },
    settings: async (namespace) => {
      const settings = settingsOf(await readRaw(namespace));
      onKey(namespace, settings.jwtKey === "" ? undefined : settings.jwtKey);
      return settings;
    },
    configure: (namespace, changes) =>
      inTurn(checkNamespaceName(namespace), async () => {
        // The server replaces the whole configuration and clears what is left out, even the key. It keeps only the
        // size limit, which is left out because the server rounds its text: sending it back would shrink it each time.
        const { max_db_size: _limit, ...kept } = await readRaw(namespace);
        const body = { ...kept, ...rawOf(changes) };
        expectOk(await http.send("POST", path(namespace, "config"), body));
        if (changes.jwtKey !== undefined) onKey(namespace, changes.jwtKey);
      }),
    stats: async (namespace) => {
      const raw = asRecord(expectOk(await http.send("GET", path(namespace, "stats"))));
      return {
        rowsRead: Number(raw.rows_read_count ?? 0),
        rowsWritten: Number(raw.rows_written_count ?? 0),
        storageBytes: Number(raw.storage_bytes_used ?? 0),
      };
    },
  };
}

function settingsOf(raw: Readonly<Record<string, unknown>>): NamespaceSettings {
  return {
    blockReads: raw.block_reads === true,
    blockWrites: raw.block_writes === true,
    blockReason: typeof raw.block_reason === "string" ? raw.block_reason : null,
    jwtKey: String(raw.jwt_key ?? ""),
    maxDatabaseSize: String(raw.max_db_size ?? ""),
  };
}

function rawOf(changes: Partial<NamespaceSettings>): Record<string, unknown> {
  return {
    ...(changes.blockReads === undefined ? {} : { block_reads: changes.blockReads }),
    ...(changes.blockWrites === undefined ? {} : { block_writes: changes.blockWrites }),
    ...(changes.blockReason === undefined ? {} : { block_reason: changes.blockReason }),
    ...(changes.jwtKey === undefined ? {} : { jwt_key: changes.jwtKey }),
    ...(changes.maxDatabaseSize === undefined ? {} : { max_db_size: changes.maxDatabaseSize }),
  };
}

function expectOk(answer: HttpAnswer): HttpAnswer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  if (answer.status === 404) throw new LibsqlAdminError("missing", 404);
  const exists = answer.status === 400 && answer.text.includes("already exists");
  throw new LibsqlAdminError(exists ? "exists" : "failed", answer.status);
}

function asRecord(answer: HttpAnswer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(answer.text);
  if (typeof value !== "object" || value === null) throw new LibsqlAdminError("failed", answer.status);
  return { ...value };
}

/** Runs all work for the same key in sequence, so that two read-modify-writes do not undo each other. */
function createTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    const settled = turn.catch(() => undefined);
    last.set(key, settled);
    void settled.then(() => {
      if (last.get(key) === settled) last.delete(key);
    });
    return turn;
  };
}
