import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createNamespaceKey,
  createNamespaceTokenSigner,
  s3Actions,
  startLibsqlServer,
  startS3Gateway,
} from "@keyloan/local-servers";

/** Accounts of users beside the stand-ins, which a test fills up or takes the keys of. */
export async function startUserAccounts() {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-users-"));
  const server = await startLibsqlServer({ dataDirectory: join(folder, "libsql") });
  const gateways: { close: () => Promise<void> }[] = [];
  return {
    addDatabase: async (options: { readonly maxDatabaseSize?: string } = {}) => {
      const namespace = `user-${randomUUID()}`;
      const key = createNamespaceKey();
      await server.admin.create(namespace, { jwtKey: key.publicKey, ...options });
      const { port } = await server.gateway.open({ namespace });
      const token = await createNamespaceTokenSigner(key)({ namespace, access: "read-write", tokenId: "t" });
      return {
        env: { TURSO_DATABASE_URL: `http://127.0.0.1:${port}`, TURSO_AUTH_TOKEN: token },
        /** Its tokens are refused from now on. */
        revoke: () => server.admin.configure(namespace, { jwtKey: createNamespaceKey().publicKey }),
      };
    },
    addBucket: async (options: { readonly bytesMax?: number } = {}) => {
      const [accessKeyId, secretAccessKey] = [
        randomBytes(16).toString("hex"),
        randomBytes(32).toString("hex"),
      ];
      let dead = false;
      const known = {
        secretAccessKey,
        policy: { buckets: ["my-app"], actions: new Set(s3Actions) },
      };
      const gateway = await startS3Gateway({
        dataDirectory: join(folder, randomUUID()),
        port: 0,
        buckets: ["my-app"],
        resolveCredential: (id) => (id === accessKeyId && !dead ? known : undefined),
        limits: options.bytesMax === undefined ? {} : { bucketBytesMax: options.bytesMax },
      });
      gateways.push(gateway);
      return {
        env: {
          R2_ENDPOINT: gateway.url,
          R2_BUCKET: "my-app",
          R2_ACCESS_KEY_ID: accessKeyId,
          R2_SECRET_ACCESS_KEY: secretAccessKey,
        },
        revoke: () => {
          dead = true;
        },
      };
    },
    close: async () => {
      await Promise.all(gateways.map((gateway) => gateway.close()));
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type UserAccounts = Awaited<ReturnType<typeof startUserAccounts>>;
