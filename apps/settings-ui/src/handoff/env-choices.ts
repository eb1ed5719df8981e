import { type EnvFormat, type EnvProfile, envFormats, envProfiles } from "@keyloan/contract";

export type Choice<T extends string> = { readonly value: T; readonly label: string; readonly hint: string };

const formatWords: Readonly<Record<string, { label: string; hint: string }>> = {
  dotenv: {
    label: ".env file",
    hint: "The format that most apps and hosts read. Choose this if you are unsure.",
  },
  docker: { label: "Docker", hint: "For docker run --env-file. Docker Compose needs format: raw." },
  shell: { label: "Shell", hint: "For the source command in a terminal." },
  json: { label: "JSON", hint: "For tools that import settings." },
  github: { label: "GitHub Actions", hint: "For a workflow’s environment." },
  kubernetes: { label: "Kubernetes", hint: "A Secret to apply." },
  systemd: { label: "systemd", hint: "An EnvironmentFile for a service." },
};

const profileWords: Readonly<Record<string, { label: string; hint: string }>> = {
  plain: { label: "Something else", hint: "Names stay as they are." },
  next: { label: "Next.js", hint: "Names for the browser start with NEXT_PUBLIC_." },
  vite: { label: "Vite", hint: "Names for the browser start with VITE_." },
  expo: { label: "Expo", hint: "Names for the browser start with EXPO_PUBLIC_." },
};

const order = ["dotenv", "docker", "shell", "json"];
const place = (value: string) => (order.includes(value) ? order.indexOf(value) : order.length);

/** The formats that the broker writes, in the order of how often they are wanted. */
export const formatChoices: readonly Choice<EnvFormat>[] = envFormats
  .toSorted((a, b) => place(a) - place(b))
  .map((value) => ({ value, ...(formatWords[value] ?? { label: value, hint: "" }) }));

export const profileChoices: readonly Choice<EnvProfile>[] = envProfiles
  .toSorted((a, b) => Number(a === "plain") - Number(b === "plain"))
  .map((value) => ({ value, ...(profileWords[value] ?? { label: value, hint: "" }) }));
