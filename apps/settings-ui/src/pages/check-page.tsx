import { GateList } from "../checks/gate-list.tsx";
import { isUnanswered, PendingChecks } from "../checks/pending-checks.tsx";
import { useGates } from "../checks/use-gates.ts";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Icon } from "../ui/icon.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import type { KeyTarget } from "./keys-page.tsx";

/** Whether all keys together are right, before anything changes. */
export function CheckPage({
  onFix,
  onContinue,
}: {
  readonly onFix: (target?: KeyTarget) => void;
  readonly onContinue: () => void;
}) {
  const { services } = useSettings();
  const [gates, ask] = useGates();
  const missing = services.filter(({ binding }) => binding.source === "org" && binding.saved === undefined);
  const pending = new Set(services.filter(isUnanswered).map(({ id }) => id));
  // A service that has not answered is told of in its own words, and is nobody's mistake.
  const results = (gates.kind === "answered" ? gates.results : []).filter(
    ({ status, connector, variable }) =>
      status !== "fail" || variable !== undefined || connector === undefined || !pending.has(connector),
  );
  const failed = results.some(({ status }) => status === "fail");
  const waits = pending.size > 0;
  return (
    <div className="space-y-6">
      <PageHeading
        lead={
          <p>
            Each key works on its own. Now we check them together, as your app will use them. Nothing changes
            yet.
          </p>
        }
      >
        Check that everything fits
      </PageHeading>
      <div className="min-h-48 space-y-4">
        {gates.kind === "asking" && <Skeleton label="Checking your keys together…" rows={2} />}
        {gates.kind === "failed" && (
          <FailureNotice failure={gates.failure} actions={<Button onClick={ask}>Check again</Button>} />
        )}
        {gates.kind === "answered" && (
          <>
            {failed ? (
              <Notice tone="bad" title="Not ready to switch yet">
                <p>Fix the problems listed here. Meanwhile your app keeps running on the lent keys.</p>
              </Notice>
            ) : waits ? (
              <Notice tone="accent" icon="clock" title="Waiting for an answer">
                <p>You do not need to do anything: you can switch as soon as every service has answered.</p>
              </Notice>
            ) : (
              <Notice tone="good" title="Everything fits">
                <p>You can switch on the next page. First it shows you what will change.</p>
              </Notice>
            )}
            <PendingChecks />
            <GateList results={results} onFix={onFix} />
          </>
        )}
        {missing.length > 0 && (
          <Notice tone="plain" title={`Still lent: ${missing.map(({ label }) => label).join(", ")}`}>
            <p>
              You can switch the others now. You can download your file when all of them use your own keys.{" "}
              <button type="button" className="link" onClick={() => onFix({ service: missing[0]?.id ?? "" })}>
                Add the rest
              </button>
            </p>
          </Notice>
        )}
      </div>
      <div className="flex flex-wrap gap-3">
        {failed || waits ? (
          <Button look="primary" onClick={ask}>
            Check again
          </Button>
        ) : (
          <Button look="primary" off={gates.kind !== "answered"} onClick={onContinue}>
            Continue
            <Icon name="arrow" />
          </Button>
        )}
        <Button onClick={() => onFix()}>Back to your keys</Button>
      </div>
    </div>
  );
}
