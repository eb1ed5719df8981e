import { each, type Family, spoilIf } from "../attack.ts";
import type { Ground } from "../ground.ts";

/** Ids that are none, and must not stand in the audit as they came. */
const ids: Readonly<Record<string, string>> = {
  "path-upwards": "..%2f..%2fetc%2fpasswd",
  sql: "bld_' OR 1=1--marker",
  markup: "<script>marker</script>",
  "line-break": "bld_%0d%0amarker: 1",
  "null-byte": "bld_%00marker",
  "long-text": "m".repeat(3_000),
  unicode: "bld_％marker𝒃",
  "control-characters": "%1b[31mmarker%07",
  json: '{"marker":1}',
  template: "\u0024{marker}",
};

export const hostileIds: Family = {
  name: "hostile-ids",
  on: "broker",
  attacks: [
    ...each(ids, async (ground: Ground, id) => {
      const { token } = await ground.attacker();
      const answer = await ground.send("GET", `/v1/builds/${encoded(id)}/env`, { token });
      if (answer.status < 400 || answer.status >= 500) return `answered ${answer.status}`;
      return audited(ground, "marker", "mmmmmmmmmmmmmmmmmmmm");
    }),
    ...each(
      { "request-id-with-markup": "<marker>", "request-id-of-ours": "req_00000000000000000000" },
      async (ground: Ground, requestId) => {
        const { token } = await ground.attacker();
        const answer = await ground.send("GET", "/v1/builds", {
          token,
          headers: { "x-request-id": requestId },
        });
        const ours = answer.headers.get("x-request-id");
        return spoilIf(ours === requestId, "a caller chooses the id that its request is found by");
      },
    ),
  ],
};

const encoded = (id: string) => (id.includes("%") ? id : encodeURIComponent(id));

async function audited(ground: Ground, ...marks: string[]) {
  const { json } = await ground.admin(200, "GET", "/v1/audit?limit=50");
  const { events = [] } = json as { events?: readonly { entity: string }[] };
  const raw = events.find(({ entity }) => marks.some((mark) => entity.includes(mark)));
  return spoilIf(raw !== undefined, "a caller's text stands in the audit as an entity");
}
