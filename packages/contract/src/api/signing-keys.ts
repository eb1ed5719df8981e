import * as z from "zod";

export const signingKeySchema = z
  .object({
    kty: z.literal("OKP"),
    crv: z.literal("Ed25519"),
    x: z.string(),
    kid: z.string().meta({ example: "sig_3k9f0a2b4c6d8e0f1g2h" }),
    alg: z.literal("EdDSA"),
    use: z.literal("sig"),
  })
  .meta({ id: "SigningKey" });

export const signingKeysSchema = z
  .object({
    keys: z.array(signingKeySchema).readonly().meta({ description: "the key that signs now comes first" }),
  })
  .meta({ id: "SigningKeys" });

export type SigningKeyView = z.output<typeof signingKeySchema>;
export type SigningKeys = z.output<typeof signingKeysSchema>;
