/** Bounds that the broker enforces and clients may check before they ask. */
export const limits = {
  nameLengthMax: 100,
  ttlSecondsMin: 60,
  ttlSecondsDefault: 24 * 3600,
  /** R2's temporary credentials end after seven days at most, so a build does too before it is renewed. */
  ttlSecondsMax: 7 * 24 * 3600,
  /** Renewals never lead past this age of a build: long enough for a database to lie idle for a month and be archived. */
  lifetimeSecondsMax: 90 * 24 * 3600,
  waitSecondsDefault: 25,
  waitSecondsMax: 60,
  buildTokenTtlSecondsDefault: 900,
  buildTokenTtlSecondsMax: 3600,
  pageSizeDefault: 50,
  pageSizeMax: 200,
  handoffTtlSecondsDefault: 3 * 24 * 3600,
  handoffTtlSecondsMax: 30 * 24 * 3600,
  /** A session of the settings page ends so long after it was last used, and never lives longer than the maximum. */
  sessionIdleSeconds: 3600,
  sessionLifetimeSecondsMax: 12 * 3600,
  /** How long after a swap the lent keys can be taken back. */
  revertWindowSecondsDefault: 24 * 3600,
  /** Sessions of one browser, a build each; one more ends the oldest. */
  sessionsPerBrowserMax: 8,
  /** Open visits of one person, or of one user who was let in, to a build; one more ends the oldest. */
  visitsPerPersonMax: 8,
  /** Browsers that prove one person; one more ends the oldest. */
  browsersPerPersonMax: 20,
  /** How long the present person can refuse that somebody starts over. */
  startOverWaitSeconds: 24 * 3600,
  /** After a withdrawal nobody can ask to start over with the same build for so long. */
  startOverAgainSeconds: 3600,
  /** Tries at a recovery code by one session, or by one address without one. */
  recoveryTriesPerHourMax: 5,
  keyValueLengthMax: 16 * 1024,
  /** Variables of one connector that are sent at once. */
  keyValuesMax: 100,
  bodyBytesMax: 64 * 1024,
  idempotencyKeyLengthMax: 200,
} as const;
