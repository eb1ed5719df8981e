import { nestsDeeperThan } from "@keyloan/contract";
import { customType, integer as engineInteger } from "drizzle-orm/sqlite-core";
import type * as z from "zod";

// The engine stores values of any type in any column. A value that cannot be ours is read as one that makes only its
// own row unusable: a query never throws because of what a row contains.

/** Text; any other value is read as an empty text. */
export const text = customType<{ data: string; driverData: string }>({
  dataType: () => "text",
  fromDriver: (stored: unknown) => (typeof stored === "string" ? stored : ""),
});

/** The latest time that a `Date` can hold, in milliseconds since the epoch. */
export const timeMax = 8_640_000_000_000_000;

/** A whole number in the range of times; any other value is read as 0. */
export const integer = customType<{ data: number; driverData: number }>({
  dataType: () => "integer",
  fromDriver: (stored: unknown) => (isWhole(stored) && Math.abs(stored) <= timeMax ? stored : 0),
});

const isWhole = (value: unknown): value is number => Number.isInteger(value);

/** Milliseconds since the epoch. */
export const millis = integer;

export const boolean = (name: string) => engineInteger(name, { mode: "boolean" });

/**
 * A structure, as JSON text.
 * @param schema what the value must match; the value is returned unchanged, nothing is added or left out
 * @param otherwise returned if the value does not match: something that its users refuse
 */
export const json = <T, Otherwise extends NoInfer<T> | null>(
  name: string,
  schema: z.ZodType<T>,
  otherwise: Otherwise,
) =>
  // The cast holds if the schema accepts the value: none of our schemas changes what it reads.
  structure<T>((value) =>
    value !== undefined && schema.safeParse(value).success ? (value as T) : otherwise,
  )(name);

/** A structure that the row's MAC covers. What is not JSON is read as a value that no MAC is right for. */
export const provenJson = <T>(name: string) =>
  // The cast holds if the MAC is right: the broker wrote it, of that type. Ours is never a text, whatever it says.
  structure<T>((value) => (typeof value === "object" ? value : unreadable) as T)(name);

const unreadable = "\u0000unreadable";

/** A column without NOT NULL may also be read as null. */
function structure<T>(read: (value: unknown) => T | null) {
  return customType<{ data: T; driverData: string }>({
    dataType: () => "text",
    toDriver: (value) => JSON.stringify(value),
    // The cast holds if the value is not null; drizzle knows from the column whether it may be.
    fromDriver: (stored: unknown) => read(parse(stored)) as T,
  });
}

/** Our structures are never nested this deep, and serializing one that is nested far deeper overflows the stack. */
const depthMax = 64;

/** `undefined` if it is not JSON, or nested deeper than our JSON. */
function parse(stored: unknown): unknown {
  try {
    if (typeof stored !== "string" || nestsDeeperThan(stored, depthMax)) return undefined;
    return JSON.parse(stored);
  } catch {
    return undefined;
  }
}
