import { randomBytes } from "node:crypto";
import { connectors } from "@keyloan/connectors";
import { secretValues } from "@keyloan/contract";
import { renderEnv, toEnvLines } from "@keyloan/env-generator";
import * as v from "@keyloan/vault";

await v.ready;
const run = (name: string, n: number, f: () => unknown) => {
  for (let i = 0; i < n / 5; i++) f();
  const rs: number[] = [];
  for (let r = 0; r < 5; r++) {
    const t = performance.now();
    for (let i = 0; i < n; i++) f();
    rs.push(((performance.now() - t) / n) * 1000);
  }
  rs.sort((a, b) => a - b);
  const d = rs[2] ?? 0;
  console.log(name.padEnd(40), d.toFixed(2), "us", Math.round(1e6 / d), "/s");
};
const cs = connectors.map(({ spec }) => ({
  spec,
  values: secretValues(
    Object.fromEntries(
      spec.env
        .filter((e) => !e.family && !e.optional)
        .map((e) => [e.name, randomBytes(30).toString("base64url")]),
    ),
  ),
}));
const count = cs.reduce((n, c) => n + Object.keys(c.values).length, 0);
console.log(connectors.length, "connectors", count, "values");
for (const profile of ["plain", "next"] as const) {
  run(`toEnvLines ${profile}`, 20000, () => toEnvLines(cs, { profile }));
  const lines = toEnvLines(cs, { profile });
  for (const format of ["json", "dotenv", "shell", "docker"] as const)
    run(`renderEnv ${format} ${lines.length} lines`, 20000, () => renderEnv(lines, { format }));
}
const ring = v.parseKeyring(v.createRootKey(randomBytes).line);
const ownerId = "bld_0123456789abcdefghjk";
const { record, key } = v.createDataKey(ring, { id: "dek_0123456789abcdefghjk", ownerId });
const sealed = cs.map(({ spec, values }, i) => {
  const context = { purpose: "lease-env", ownerId, field: `lse_0123456789abcdefghj${i}` };
  return { spec, context, text: v.sealValues(key, context, values) };
});
console.log("sealed bytes", sealed.map((s) => s.text.length).join(" "));
run("open data key + close", 20000, () => v.closeDataKey(v.openDataKey(ring, record)));
run(`open ${sealed.length} envelopes`, 10000, () => {
  for (const s of sealed) v.openValues(key, s.context, s.text);
});
run("data key + envelopes + lines + json", 10000, () => {
  const k = v.openDataKey(ring, record);
  const out = renderEnv(
    toEnvLines(
      sealed.map((s) => ({ spec: s.spec, values: v.openValues(k, s.context, s.text) })),
      { profile: "plain" },
    ),
    { format: "json" },
  );
  v.closeDataKey(k);
  return out;
});
run("seal one lease of 6 values", 10000, () => v.sealValues(key, sealed[0]!.context, cs[2]!.values));
run("createDataKey", 10000, () => v.createDataKey(ring, { id: "dek_1", ownerId }));
