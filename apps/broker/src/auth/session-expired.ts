import { BrokerError } from "@keyloan/contract";

/** The 401 for a visit that has ended. */
export function sessionExpired(): BrokerError {
  return new BrokerError("session_expired", "your visit to this page has ended", {
    remedy:
      "Open the page again in this browser, with your recovery code, or with a new link from the tool that sent you here. What you saved is kept.",
  });
}
