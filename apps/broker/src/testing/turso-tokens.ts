import type { RunningEmulator } from "@keyloan/connectors/emulators";

export type TursoTokens = {
  /** Org fields with a new token of the same group. */
  readonly create: () => Promise<Record<string, string>>;
  /** Deletes a token as its owner does in the dashboard. */
  readonly end: (fields: Readonly<Record<string, string>>) => Promise<void>;
};

/** What the owner of the stand-in's organization does with platform tokens. */
export function tursoTokens({ baseUrl, orgFields }: RunningEmulator): TursoTokens {
  const owner = orgFields.token ?? "";
  const ids = new Map<string, string>();
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${baseUrl}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${owner}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    return (await response.json()) as Record<string, string>;
  };
  const scopes = ["read", "db:create", "db:delete", "db:configure", "db:mint-token", "db:rotate-creds"];
  const { organization, group } = orgFields;
  return {
    create: async () => {
      const name = `token-${ids.size}`;
      const made = await call("POST", `auth/api-tokens/${name}`, { organization, group, scopes });
      ids.set(made.token ?? "", made.id ?? "");
      return { ...orgFields, token: made.token ?? "" };
    },
    end: async ({ token }) => {
      await call("DELETE", `organizations/${organization}/api-tokens/${ids.get(token ?? "")}`);
    },
  };
}
