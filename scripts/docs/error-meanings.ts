/** What each code of the API's errors tells a caller, in one sentence. */
export const errorMeanings: Readonly<Record<string, string>> = {
  malformed_request: "The request cannot be read: it is not JSON, or not valid HTTP.",
  unauthenticated: "No token was sent, or the token is unknown, revoked or used up.",
  token_expired: "The token has expired: ask for a new one.",
  session_expired:
    "The visit to the settings page is over: open /settings in the browser that saved keys, enter the recovery code, or ask for a new link.",
  handoff_used: "The handoff link was used already: ask for a new one.",
  handoff_expired: "The handoff link is too old: ask for a new one.",
  forbidden: "The token is known but does not have permission to do this.",
  person_decides:
    "The person who saved their own keys has not allowed tokens to do this, or can still go back to what it would end. Ask them to do it, or to allow it, on the settings page; the remedy says when neither is needed.",
  person_only:
    "Only the person who saved keys here may do this. Open the page in the browser they were saved in, or enter the recovery code; if both are lost, start over.",
  not_found: "There is no such address, build, key or token, or this caller cannot see it.",
  method_not_allowed: "The address exists but does not accept this method; `Allow` lists those it accepts.",
  conflict: "The request conflicts with the state of what it names.",
  idempotency_conflict: "The Idempotency-Key was already used with another body.",
  not_ready: "The env is not complete yet; `details.missing` lists what is missing and why.",
  settings_changed: "The settings were changed meanwhile: read them again and repeat the change.",
  gates_failed: "A check that must pass first has failed; `details` lists each with its remedy.",
  not_revertible: "There is nothing to go back to, or the time for going back is over.",
  build_closed:
    "The build no longer gives out values: it was closed, and its values were destroyed; or its keys belong to its user alone, because it was handed over or lending to it has ended.",
  database_archived: "The database was idle and is archived: restore it, then ask again.",
  target_not_empty: "The target of the move already holds data; nothing was changed.",
  not_faithful: "A copy did not hold exactly what its source holds, so the source was kept.",
  not_supported: "This connector cannot do that; the remedy says what to do instead.",
  already_running: "The same work is already in progress; `details` names it.",
  org_key_missing: "The org has no key for a connector that the request needs.",
  payload_too_large: "The body is larger than the broker accepts.",
  unsupported_media_type: "The body is not sent as `application/json`.",
  invalid_input: "A field is not valid; `details.problems` lists every problem with its reason.",
  unknown_connector: "There is no connector with this id; `GET /v1/catalog` lists them.",
  key_rejected: "The provider refuses the key, or the key lacks a permission.",
  rate_limited: "Too many requests from this caller: wait as long as `Retry-After` says.",
  internal: "Something failed that should not: the operator can find it by the request id.",
  provider_failed: "A provider did not do what was asked; `details` names it, with its request id.",
  audit_degraded:
    "The store differs from what was signed, so nothing new is handed out; envs can be read as usual. This requires manual action: look at `keyloan audit verify`.",
  unavailable: "The broker cannot work right now, for instance because it cannot write its audit trail.",
};
