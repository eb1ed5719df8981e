import { BrokerError, type Connector, type SecretValues } from "@keyloan/contract";
import type { TransferEnds } from "./transfer-ends.ts";

/**
 * Refuses to move something onto itself: everything about both ends that is no secret is the same.
 * @throws BrokerError `conflict`
 */
export function refuseSameEnds({ spec }: Connector, { from, to }: TransferEnds): void {
  const open = spec.env.filter(({ secret }) => !secret).map(({ name, role }) => ({ name, role }));
  const same = open.every(
    ({ name, role }) =>
      textOf(from.values, name, role === "address") === textOf(to.values, name, role === "address"),
  );
  if (open.length === 0 || !same) return;
  throw new BrokerError("conflict", `these keys point to the lent ${spec.label}, not to your own account`, {
    remedy: "Make your own database or bucket and save its keys.",
  });
}

function textOf(values: SecretValues, name: string, isAddress: boolean): string {
  const text = values[name]?.reveal() ?? "";
  if (!isAddress) return text;
  // The same host may be written with another scheme.
  const address = text.toLowerCase().replace(/^[a-z]+:\/\//, "");
  const end = address.search(/[/?]/);
  return end === -1 ? address : address.slice(0, end);
}
