/** Formats an environment can be written in. */
export const envFormats = ["json", "dotenv", "shell", "docker", "github", "kubernetes", "systemd"] as const;
export type EnvFormat = (typeof envFormats)[number];

/** Kinds of app; each has its own prefix for names a browser may see. */
export const envProfiles = ["plain", "next", "vite", "expo"] as const;
export type EnvProfile = (typeof envProfiles)[number];

export const publicPrefixes: Readonly<Record<EnvProfile, string>> = {
  plain: "",
  next: "NEXT_PUBLIC_",
  vite: "VITE_",
  expo: "EXPO_PUBLIC_",
};
