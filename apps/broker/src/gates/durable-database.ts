import type { ConnectorSpec } from "@keyloan/contract";
import { type Gate, type GateConnector, type GateFinding, type GateInput, modeOf } from "./gate.ts";

/**
 * Real payments need a database that keeps what it is told: an order that is paid and forgotten is lost money.
 * It is tried anew at every swap, and what cannot be tried counts as no: an outage closes the gate again.
 */
export const durableDatabase: Gate = {
  name: "durable_database",
  passed: "Your database keeps what is written to it.",
  ask: async (input) => {
    const paid = input.connectors.some(
      (connector) => connector.spec.category === "payments" && modeOf(connector) === "live",
    );
    if (!paid) return [];
    const databases = input.connectors.filter(({ spec }) => spec.category === "database");
    const asked = await Promise.all(databases.map((database) => askDatabase(input, database)));
    return [...asked.flat(), ...input.unread.flatMap(refuseUnread)];
  },
};

function refuseUnread({ id, label, category }: ConnectorSpec): readonly GateFinding[] {
  if (category !== "database") return [];
  return [
    {
      status: "fail",
      connector: id,
      message: `Real payments would be written to ${label}, which still belongs to the person before you, so it cannot be tested.`,
      remedy: `Save your own keys for ${label} too, and swap them together.`,
    },
  ];
}

async function askDatabase(input: GateInput, database: GateConnector): Promise<readonly GateFinding[]> {
  const { spec, source } = database;
  const place = { status: "fail", connector: spec.id } as const;
  if (source === "org") {
    return [
      {
        ...place,
        message: `Real payments would be written to ${spec.label}, which is only lent and will be taken back.`,
        remedy: `Save your own keys for ${spec.label} too, and swap them together.`,
      },
    ];
  }
  const answer = await input.probeDurability(database);
  if (answer === "not_answered") {
    return [
      {
        ...place,
        message: `${spec.label} could not be tested right now, and real payments need a database that answers.`,
        remedy: "Try again in a few minutes, or use test keys for payments until then.",
      },
    ];
  }
  return answer.steps
    .filter(({ ok }) => !ok)
    .map(({ message }) => ({
      ...place,
      message: `${spec.label} does not keep what is written to it: ${message}`,
      remedy: "Use a database that stores to disk, with a token that can write, then swap again.",
    }));
}
