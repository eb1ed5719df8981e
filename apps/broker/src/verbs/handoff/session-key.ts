/** What the private key of a session is bound to. */
export function sessionKeyContext(buildId: string, sessionId: string) {
  return { purpose: "session-key", ownerId: buildId, field: sessionId };
}
