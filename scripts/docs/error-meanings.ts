/** What each code of the API's errors tells a caller, in one sentence. */
export const errorMeanings: Readonly<Record<string, string>> = {
  malformed_request: "The request cannot be read: not JSON, or not HTTP as it should be.",
  unauthenticated: "No token was sent, or the token is unknown, revoked or used up.",
  token_expired: "The token was right and its time is over: ask for a new one.",
  session_expired:
    "The visit to the settings page is over: open /settings in the browser that saved keys, enter the recovery code, or ask for a new link.",
  handoff_used: "The handoff link was used already: ask for a new one.",
  handoff_expired: "The handoff link is too old: ask for a new one.",
  forbidden: "The token is known and may not do this.",
  person_decides:
    "The person who saved own keys has not allowed tokens to do this, or can go back to what it would end. Ask them to do it, or to allow it, on the settings page; the remedy says when neither is needed.",
  person_only:
    "Only the person who saved keys here may do this. Open the page in the browser they were saved in, or enter the recovery code; if both are lost, start over.",
  not_found: "There is no such address, build, key or token, or not for this caller.",
  method_not_allowed: "The address exists and does not take this method; `Allow` lists those it takes.",
  conflict: "The request contradicts the state of what it names.",
  idempotency_conflict: "The Idempotency-Key was used for another body.",
  not_ready: "The env is not complete yet; `details.missing` lists what is missing and why.",
  settings_changed: "The settings were changed meanwhile: read them again and repeat the change.",
  gates_failed: "A check that must pass first does not; `details` lists each with its remedy.",
  not_revertible: "There is nothing to go back to, or the time for it is over.",
  build_closed:
    "The build hands nothing out any more: it was closed, and its values shredded; or its keys are its user's alone, because it was handed over or lending to it has ended.",
  database_archived: "The database was idle and is archived: restore it, then ask again.",
  target_not_empty: "What the data would be moved to holds data already; nothing was changed.",
  not_faithful: "A copy did not hold exactly what its source holds, so the source was kept.",
  not_supported: "This connector cannot do that; the remedy tells what can be done instead.",
  already_running: "The same work is under way; `details` names it.",
  org_key_missing: "The org has no key for a connector that the request needs.",
  payload_too_large: "The body is larger than the broker accepts.",
  unsupported_media_type: "The body is not sent as `application/json`.",
  invalid_input: "A field does not fit; `details.problems` lists every one with its reason.",
  unknown_connector: "There is no connector of this id; `GET /v1/catalog` lists them.",
  key_rejected: "The provider refuses the key, or the key lacks a permission.",
  rate_limited: "Too many requests from this caller: wait as long as `Retry-After` says.",
  internal: "Something failed that should not: the request id leads the operator to it.",
  provider_failed: "A provider did not do what was asked; `details` tells which, and its request id.",
  audit_degraded:
    "The store is not what was signed, so nothing new is handed out; envs are read as always. A person has to look at `keyloan audit verify`.",
  unavailable: "The broker cannot work just now, for instance because it cannot write its audit trail.",
};
