import { nestsDeeperThan } from "@keyloan/contract";
import { customType, integer as engineInteger } from "drizzle-orm/sqlite-core";
import type * as z from "zod";

// The engine keeps whatever is put into a column, of any type. What cannot be a value of ours is read as one that
// spoils its own row alone: a query never throws for what stands in a row.

/** Text; what is none is read as an empty one. */
export const text = customType<{ data: string; driverData: string }>({
  dataType: () => "text",
  fromDriver: (stored: unknown) => (typeof stored === "string" ? stored : ""),
});

/** The last time that a date can be, in milliseconds since the epoch. */
export const timeMax = 8_640_000_000_000_000;

/** A whole number that can also be a time; what is none is read as 0. */
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
 * @param schema what it must look like; it is taken as it is, nothing is added or left out
 * @param otherwise what it is read as when it does not: something that whoever uses it refuses
 */
export const json = <T, Otherwise extends NoInfer<T> | null>(
  name: string,
  schema: z.ZodType<T>,
  otherwise: Otherwise,
) =>
  // Holds where the schema takes it: none of ours changes what it reads.
  structure<T>((value) =>
    value !== undefined && schema.safeParse(value).success ? (value as T) : otherwise,
  )(name);

/** A structure in a row with a MAC over it: what is no JSON is read as what no MAC is right for. */
export const provenJson = <T>(name: string) =>
  // Holds where the MAC is right: the broker wrote it, of that type. A text is none of ours, whatever it says.
  structure<T>((value) => (typeof value === "object" ? value : unreadable) as T)(name);

const unreadable = "\u0000unreadable";

/** A column that has no NOT NULL may be read as null too. */
function structure<T>(read: (value: unknown) => T | null) {
  return customType<{ data: T; driverData: string }>({
    dataType: () => "text",
    toDriver: (value) => JSON.stringify(value),
    // Holds where it is not null; drizzle knows by the column whether it may be.
    fromDriver: (stored: unknown) => read(parse(stored)) as T,
  });
}

/** None of ours is nested so deep, and what is far deeper ends whoever writes it out again. */
const depthMax = 64;

/** `undefined` for what is no JSON, or no JSON of ours. */
function parse(stored: unknown): unknown {
  try {
    if (typeof stored !== "string" || nestsDeeperThan(stored, depthMax)) return undefined;
    return JSON.parse(stored);
  } catch {
    return undefined;
  }
}
