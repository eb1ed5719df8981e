/** Bounds that the broker enforces and clients may check before they ask. */
export const limits = {
  nameLengthMax: 100,
  ttlSecondsMin: 60,
  ttlSecondsDefault: 24 * 3600,
  /** R2's temporary credentials end after seven days at most, so a build does too before it is renewed. */
  ttlSecondsMax: 7 * 24 * 3600,
  /** Renewals never lead past this age of a build. */
  lifetimeSecondsMax: 30 * 24 * 3600,
  waitSecondsDefault: 25,
  waitSecondsMax: 60,
  buildTokenTtlSecondsDefault: 900,
  buildTokenTtlSecondsMax: 3600,
  pageSizeDefault: 50,
  pageSizeMax: 200,
  bodyBytesMax: 64 * 1024,
  idempotencyKeyLengthMax: 200,
} as const;
