import {
  type Connector,
  type ConnectorSpec,
  type EnvVarSpec,
  type FieldSpec,
  isolationGradeMeanings,
  publicPrefixes,
} from "../../packages/contract/src/index.ts";
import { code, markdownTable } from "./markdown-table.ts";

/** docs/variables.md */
export function renderVariables(connectors: readonly Connector[]): string {
  return `# Variables that a build gets

Made from the connectors' own descriptions, which \`GET /v1/catalog\` answers too. A build gets the variables of the
connectors it was made with.

A variable for **browsers** is never secret and is written under the profile's public name as well:
${publicNames()}. All others stay on the server. Copies are written only when they are asked for, with
\`?copies=<set>\` or \`keyloan run --copies <set>\`.

**With your own keys** says where the value comes from once an app has left the lent ones.

${connectors.map(({ spec }) => section(spec)).join("\n")}`;
}

function publicNames(): string {
  const prefixed = Object.entries(publicPrefixes).filter(([, prefix]) => prefix !== "");
  return prefixed.map(([profile, prefix]) => `\`${prefix}…\` for \`${profile}\``).join(", ");
}

function section(spec: ConnectorSpec): string {
  return `## ${spec.label} (\`${spec.id}\`)

${spec.summary} Grade ${spec.grade}: ${isolationGradeMeanings[spec.grade]}. When the lease ends: ${lowerFirst(spec.revocation)}

${markdownTable(["Variable", "What it is", "Required", "Seen by", "If unset", "With your own keys", "Also written as"], spec.env.map(variableRow))}

${orgKey(spec)}
`;
}

function variableRow(variable: EnvVarSpec): readonly string[] {
  const { name, label, help, family, optional, exposure, secret, ifUnset } = variable;
  return [
    family === true ? code(`${name}…`) : code(name),
    sentences(label, help),
    optional === true ? "no" : "yes",
    exposure === "browser" ? "browsers" : secret ? "server, secret" : "server",
    ifUnset ?? "",
    ownValue(variable),
    otherNames(variable),
  ];
}

function ownValue({ own, optional }: EnvVarSpec): string {
  switch (own?.kind) {
    case undefined:
    case "typed":
      return optional === true ? "you may type it" : "you type it";
    case "default":
      return `${code(own.value)} unless you change it`;
    case "generated":
      return `made for you, ${own.bytes} random bytes`;
    case "absent":
      return "not there";
  }
}

function otherNames({ aliases = [], copies = {} }: EnvVarSpec): string {
  const copied = Object.entries(copies).flatMap(([set, names]) =>
    names.map((name) => `${code(name)} (copies ${code(set)})`),
  );
  return [...aliases.map(code), ...copied].join(", ");
}

function orgKey({ id, orgFields }: ConnectorSpec): string {
  if (orgFields.length === 0) return "Needs no org key.";
  return `The org key, put with \`keyloan org-keys set ${id}\` or \`PUT /v1/org-keys/${id}\`:

${markdownTable(["Field", "What it is", "Required", "Secret", "Where it is made"], orgFields.map(fieldRow))}`;
}

function fieldRow({ name, label, help, optional, secret, helpUrl }: FieldSpec): readonly string[] {
  return [
    code(name),
    sentences(label, help),
    optional === true ? "no" : "yes",
    secret ? "yes" : "no",
    helpUrl === undefined ? "" : `<${helpUrl}>`,
  ];
}

function sentences(label: string, help: string | undefined): string {
  return help === undefined ? `${label}.` : `${label}. ${help}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
