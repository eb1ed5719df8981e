import { auditHeadPayloadSchema, auditHeadType, signedHeadSchema } from "@keyloan/contract";
import * as z from "zod";
import { type KnownKeys, readHeader } from "../signing.ts";

/** What is kept of heads in a place outside the store. */
export type KeptHeads =
  /** The newest that this broker signed. */
  | { readonly kind: "head"; readonly signed: string; readonly sequence: number }
  /** Only heads that this broker did not sign; one of them. */
  | { readonly kind: "foreign"; readonly signed: string }
  /** No head, and whether there is anything else. */
  | { readonly kind: "none"; readonly isEmpty: boolean };

const lineSchema = z.object({ signed: signedHeadSchema });

/** Reads lines that are a signed head each, alone or in a JSON object as a sink gets them; others are passed over. */
export async function readKeptHeads(keys: KnownKeys, text: string): Promise<KeptHeads> {
  const lines = text.split("\n").map((line) => line.trim());
  let foreign: string | undefined;
  let newest: { signed: string; sequence: number } | undefined;
  for (const line of lines) {
    const signed = signedOf(line);
    if (signed === undefined) continue;
    const verified = await keys.verify(signed);
    const head = verified && auditHeadPayloadSchema.safeParse(verified.payload).data;
    if (head === undefined) foreign = signed;
    else if (newest === undefined || isLater(head, newest)) newest = { signed, ...head };
  }
  if (newest !== undefined) return { kind: "head", signed: newest.signed, sequence: newest.sequence };
  if (foreign !== undefined) return { kind: "foreign", signed: foreign };
  return { kind: "none", isEmpty: lines.every((line) => line === "") };
}

type Place = { readonly sequence: number; readonly counter?: number | undefined };

/** By counter: after heads were given up, a later one may be of an earlier row. */
function isLater(head: Place, other: Place): boolean {
  const byCounter = (head.counter ?? 0) - (other.counter ?? 0);
  return byCounter > 0 || (byCounter === 0 && head.sequence >= other.sequence);
}

function signedOf(line: string): string | undefined {
  const text = line.startsWith("{") ? parseLine(line) : line;
  if (text === undefined || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return undefined;
  return readHeader(text)?.type === auditHeadType ? text : undefined;
}

function parseLine(line: string): string | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data?.signed;
  } catch {
    return undefined;
  }
}
