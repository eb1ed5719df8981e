import type { KeyTarget } from "../pages/keys-page.tsx";
import { useSettings } from "../state/settings.tsx";
import { classes } from "../ui/classes.ts";
import { Details } from "../ui/details.tsx";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Prose, sentence } from "../ui/prose.tsx";
import type { GateAnswer } from "./use-gates.ts";

const looks: Readonly<Record<GateAnswer["status"], { word: string; icon: IconName; color: string }>> = {
  fail: { word: "Needs you", icon: "alert", color: "text-bad" },
  warn: { word: "Look at this", icon: "info", color: "text-warn" },
  pass: { word: "Passed", icon: "check", color: "text-good" },
};

/** What the checks before the switch found: first what stops it, each with the way to fix it. */
export function GateList({
  results,
  onFix,
}: {
  readonly results: readonly GateAnswer[];
  readonly onFix: (target: KeyTarget) => void;
}) {
  const passed = results.filter(({ status }) => status === "pass");
  const others = [
    ...results.filter(({ status }) => status === "fail"),
    ...results.filter(({ status }) => status === "warn"),
  ];
  return (
    <div className="space-y-4">
      {others.length > 0 && (
        <ul className="divide-y divide-line rounded-card border border-line bg-surface">
          {others.map((result) => (
            <GateRow key={rowKey(result)} result={result} onFix={onFix} />
          ))}
        </ul>
      )}
      {passed.length > 0 && (
        <Details label={`${passed.length} ${passed.length === 1 ? "check" : "checks"} passed`}>
          <ul className="space-y-2">
            {passed.map((result) => (
              <li key={rowKey(result)} className="flex gap-2 text-sm text-ink-2">
                <Icon name="check" className="mt-0.5 text-good" />
                <span className="sr-only">Passed: </span>
                <span className="min-w-0 break-words">{sentence(result.message)}</span>
              </li>
            ))}
          </ul>
        </Details>
      )}
    </div>
  );
}

function GateRow({
  result,
  onFix,
}: {
  readonly result: GateAnswer;
  readonly onFix: (target: KeyTarget) => void;
}) {
  const { services } = useSettings();
  const { word, icon, color } = looks[result.status];
  const service = services.find(({ id }) => id === result.connector);
  return (
    <li className="flex gap-3 p-4 sm:px-5">
      <Icon name={icon} className={classes("mt-0.5 size-5", color)} />
      <div className="min-w-0 flex-1 space-y-1 break-words">
        <p className={classes("text-sm font-medium", color)}>
          {word}
          {service !== undefined && <span className="text-ink-2"> · {service.label}</span>}
        </p>
        <p className="font-medium">
          <Prose text={sentence(result.message)} />
        </p>
        {result.remedy !== undefined && (
          <p className="text-ink-2">
            <Prose text={sentence(result.remedy)} />
          </p>
        )}
        {service !== undefined && (
          <button
            type="button"
            className="link"
            onClick={() =>
              onFix({
                service: service.id,
                ...(result.variable === undefined ? {} : { variable: result.variable }),
              })
            }
          >
            Go to {service.label}
          </button>
        )}
      </div>
    </li>
  );
}

function rowKey({ gate, connector, variable, message }: GateAnswer): string {
  return [gate, connector, variable, message].join(" ");
}
