/** Whether a value looks like a `T`. It is taken as it is, nothing is added or left out. */
export type Shape<T> = (value: unknown) => value is T;

const timeMax = 8_640_000_000_000_000;

export const isText: Shape<string> = (value) => typeof value === "string";
export const isNumber: Shape<number> = (value): value is number =>
  typeof value === "number" && Number.isFinite(value);
/** Milliseconds since the epoch that a date can be. */
export const isTime: Shape<number> = (value): value is number =>
  isNumber(value) && Number.isInteger(value) && Math.abs(value) <= timeMax;
export const isBoolean: Shape<boolean> = (value) => typeof value === "boolean";

export function oneOf<const T>(...values: readonly T[]): Shape<T> {
  const known: readonly unknown[] = values;
  return (value): value is T => known.includes(value);
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value): value is T | undefined => value === undefined || shape(value);
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(shape);
}

export function recordOf<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> =>
    isObject(value) && Object.values(value).every(shape);
}

/** An object with these members, and whatever others. */
export function objectOf<T>(members: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const shapes = Object.entries<Shape<unknown>>(members);
  return (value): value is T => isObject(value) && shapes.every(([name, shape]) => shape(value[name]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
