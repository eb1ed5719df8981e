import { randomUUID } from "node:crypto";
import * as z from "zod";
import { randomText } from "../kit/emulator-state.ts";

const platformTokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  token: z.string(),
  /** `null`: every group and every scope. */
  group: z.string().nullable(),
  scopes: z.array(z.string()).nullable(),
});

export const tursoStateSchema = z.object({
  organization: z.string(),
  groups: z.array(z.object({ name: z.string(), uuid: z.string() })),
  tokens: z.array(platformTokenSchema),
});
/** The organization, besides its databases. */
export type TursoState = z.output<typeof tursoStateSchema>;

export function newOrganization(): TursoState {
  const token = { id: randomUUID(), name: "keyloan", token: randomText(64), group: null, scopes: null };
  const groups = ["default", "other"].map((name) => ({ name, uuid: randomUUID() }));
  return { organization: "keyloan-dev", groups, tokens: [token] };
}

/** A request, as far as it says who asks. */
export type Asked = {
  readonly account: TursoState;
  readonly key: string;
  readonly params: Readonly<Record<string, string>>;
};

export const tokenOf = ({ account, key }: Asked) => account.tokens.find(({ token }) => token === key);

/** A group that the organization has, and the token is for. */
export const maySee = (asked: Asked, group: string) =>
  asked.account.groups.some(({ name }) => name === group) && (tokenOf(asked)?.group ?? group) === group;
