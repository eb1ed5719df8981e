import { isUtf8 } from "node:buffer";
import { hranaSqlFields, sqlInJson, sqlInProtobuf } from "./read-hrana.ts";
import { chainMax, mentionsRefused, refusedIn } from "./sql-rules.ts";

/** The format in which a request's body contains SQL; `none`: the request has no body. */
export type RequestEncoding = "json" | keyof typeof hranaSqlFields | "none";

/** Why a request is not passed on. */
export type Refusal = { readonly status: 400 | 401 | 403 | 413 | 503; readonly message: string };

/**
 * Judges whether a request may reach the server.
 * @returns undefined if it may; a refusal if it cannot be read or has SQL that is not allowed (`sql-rules.ts`)
 */
export function judgeRequest(encoding: RequestEncoding, body: Buffer): Refusal | undefined {
  if (encoding === "none") return body.length === 0 ? undefined : unreadable;
  // Nearly all requests end here: they are short, contain none of the refused words, and no JSON escape hides one.
  if (body.length <= chainMax && mentionsNone(encoding, body)) return undefined;
  if (!isUtf8(body) && encoding === "json") return unreadable;
  const texts =
    encoding === "json" ? sqlInJson(body.toString("utf8")) : sqlInProtobuf(body, hranaSqlFields[encoding]);
  if (texts === undefined) return unreadable;
  for (const text of texts) {
    const refused = refusedIn(text);
    if (refused !== undefined)
      return { status: 403, message: `this database server does not take ${refused}` };
  }
  return undefined;
}

function mentionsNone(encoding: RequestEncoding, body: Buffer): boolean {
  const bytes = body.toString("latin1");
  return !mentionsRefused(bytes) && !(encoding === "json" && bytes.includes("\\u"));
}

export const unreadable: Refusal = {
  status: 400,
  message: "this request cannot be read, and is not passed on",
};
