import { BrokerError } from "@keyloan/contract";

/** The 409 for every state in which a build hands nothing out any more. */
export function buildClosed(state: string): BrokerError {
  const why =
    state === "handed_off"
      ? "handed over: its keys belong to its user alone"
      : `${state}: its keys were revoked`;
  return new BrokerError("build_closed", `the build is ${why}`, {
    remedy: "Create a new build.",
    details: { state },
  });
}
