import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createClient } from "@libsql/client/web";

type Env = Readonly<Record<string, string>>;

/** What an app does with its env: SQL on its database. @throws what its driver throws */
export async function runSql(env: Env, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = createClient({
    url: env.TURSO_DATABASE_URL ?? "",
    ...(env.TURSO_AUTH_TOKEN === undefined ? {} : { authToken: env.TURSO_AUTH_TOKEN }),
  });
  try {
    return (await client.execute(sql)).rows.map((row) => ({ ...row }));
  } finally {
    client.close();
  }
}

function s3Of(env: Env): S3Client {
  return new S3Client({
    endpoint: env.R2_ENDPOINT ?? "",
    region: "auto",
    forcePathStyle: true,
    credentials: {
      accessKeyId: env.R2_ACCESS_KEY_ID ?? "",
      secretAccessKey: env.R2_SECRET_ACCESS_KEY ?? "",
      ...(env.R2_SESSION_TOKEN === undefined ? {} : { sessionToken: env.R2_SESSION_TOKEN }),
    },
  });
}

/** What an app does with its env: files in its part of the bucket. */
export async function putObjects(env: Env, objects: Readonly<Record<string, string>>): Promise<void> {
  const client = s3Of(env);
  const waiting = Object.entries(objects);
  const worker = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [key, body] = next;
      const Key = (env.R2_PREFIX ?? "") + key;
      await client.send(new PutObjectCommand({ Bucket: env.R2_BUCKET, Key, Body: body }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  client.destroy();
}

/** What a file holds, as text. @throws what its driver throws when there is none */
export async function getObject(env: Env, key: string): Promise<string | undefined> {
  const client = s3Of(env);
  try {
    const Key = (env.R2_PREFIX ?? "") + key;
    return await (
      await client.send(new GetObjectCommand({ Bucket: env.R2_BUCKET, Key }))
    ).Body?.transformToString();
  } finally {
    client.destroy();
  }
}

/** The names of all files, without the prefix. */
export async function listKeys(env: Env): Promise<string[]> {
  const client = s3Of(env);
  const prefix = env.R2_PREFIX ?? "";
  const keys: string[] = [];
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: env.R2_BUCKET, Prefix: prefix, ContinuationToken: token }),
    );
    keys.push(...(page.Contents ?? []).map(({ Key = "" }) => Key.slice(prefix.length)));
    token = page.NextContinuationToken;
  }
  client.destroy();
  return keys;
}
