import { type ConnectorSpec, type EnvVarSpec, formOf, secretValues } from "@keyloan/contract";
import type { ConnectorValues } from "../to-env-lines.ts";

const variable = (name: string, more: Partial<EnvVarSpec>): EnvVarSpec => ({
  name,
  label: name,
  secret: false,
  exposure: "server",
  optional: true,
  ...more,
});

/** A made-up connector with every kind of variable. */
export const shopSpec: ConnectorSpec = {
  id: "shop",
  label: "Shop",
  category: "payments",
  summary: "Sells things.",
  grade: "E",
  revocation: "Nothing ends.",
  orgFields: [],
  env: [
    variable("SHOP_SECRET_KEY", {
      secret: true,
      ...formOf({ test: ["sk_test_", "rk_test_"], live: ["sk_live_", "rk_live_"] }, "[A-Za-z0-9]{4,}"),
      ifUnset: "Nothing can be sold.",
      optional: false,
      aliases: ["OLD_SHOP_KEY"],
    }),
    variable("SHOP_PUBLISHABLE_KEY", {
      exposure: "browser",
      ...formOf({ test: ["pk_test_"], live: ["pk_live_"] }, "[A-Za-z0-9]{4,}"),
    }),
    variable("SHOP_TOKEN", { secret: true, pattern: "^[a-z_0-9]+$", copies: { other: ["OTHER_TOKEN"] } }),
    variable("SHOP_REGION", {
      own: { kind: "default", value: "auto" },
      optional: false,
      ifUnset: "It asks.",
    }),
    variable("SHOP_SESSION", { own: { kind: "absent" }, optional: false }),
    variable("SHOP_PRICE_", { family: true, ifUnset: "That price is not offered." }),
    variable("DEBUG", {}),
  ],
};

export const keys = {
  testSecret: "sk_test_canary1234",
  liveSecret: "sk_live_canary1234",
  testPublishable: "pk_test_abcd1234",
  livePublishable: "pk_live_abcd1234",
};

/** Values of the made-up connector; the required ones are live keys unless given. */
export function shopValues(values: Readonly<Record<string, string>> = {}): readonly ConnectorValues[] {
  const required = { SHOP_SECRET_KEY: keys.liveSecret, SHOP_REGION: "auto", SHOP_SESSION: "s" };
  return [{ spec: shopSpec, values: secretValues({ ...required, ...values }) }];
}
