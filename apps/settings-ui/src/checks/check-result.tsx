import type { Repair } from "@keyloan/contract";
import type { ReactNode } from "react";
import { ForSupport } from "../ui/failure-notice.tsx";
import { Icon } from "../ui/icon.tsx";
import { Notice } from "../ui/notice.tsx";
import { OuterLink, Prose, sentence } from "../ui/prose.tsx";
import {
  accountText,
  type Check,
  cannotText,
  canText,
  notTriedText,
  type Refusal,
  undeterminedText,
} from "./check-text.ts";

/** What was found about keys, as sentences. `next` says what happens now when the answer is not known yet. */
export function CheckResult({
  check,
  label,
  repairs = [],
  next,
}: {
  readonly check: Exclude<Check, Refusal>;
  readonly label: string;
  readonly repairs?: readonly Repair[];
  readonly next?: ReactNode;
}) {
  if (check.status === "undetermined") {
    return (
      <Notice tone="plain" icon="clock" title={undeterminedText(check, label)}>
        <p>Your keys are saved and sealed. As far as we know, nothing is wrong with them.</p>
        {next}
        <ForSupport code={`${check.code}: ${check.message}`} />
      </Notice>
    );
  }
  const missing = check.capabilities.filter(({ state }) => state === "missing");
  return (
    <Notice tone={missing.length + check.warnings.length > 0 ? "warn" : "good"} icon="check">
      <p>
        <strong className="font-semibold text-ink">Works.</strong> {accountText(check)} {canText(check)}{" "}
        {notTriedText(check)}
      </p>
      {missing.length > 0 && (
        <ul className="space-y-2">
          {missing.map(({ name, remedy, helpUrl }) => (
            <li key={name}>
              <strong className="font-semibold text-ink">{cannotText(name)}</strong>{" "}
              {remedy !== undefined && <Prose text={sentence(remedy)} />}{" "}
              {helpUrl !== undefined && <OuterLink href={helpUrl}>Open the key</OuterLink>}
            </li>
          ))}
        </ul>
      )}
      {check.warnings.map((warning) => (
        <p key={warning}>
          <Prose text={sentence(warning)} />
        </p>
      ))}
      <Repairs repairs={repairs} />
    </Notice>
  );
}

function Repairs({ repairs }: { readonly repairs: readonly Repair[] }) {
  if (repairs.length === 0) return null;
  return (
    <ul className="space-y-1">
      {repairs.map(({ name, message }) => (
        <li key={`${name} ${message}`} className="flex gap-2">
          <Icon name="info" className="mt-1" />
          <span className="min-w-0 break-words">
            <span className="font-mono text-sm">{name}</span>: {sentence(message)}
          </span>
        </li>
      ))}
    </ul>
  );
}
