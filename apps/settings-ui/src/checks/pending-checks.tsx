import { Retry } from "../keys/retry.tsx";
import type { Service } from "../keys/services.ts";
import { useKeyWork } from "../state/key-work.tsx";
import { useSettings } from "../state/settings.tsx";
import { Icon } from "../ui/icon.tsx";
import { Notice } from "../ui/notice.tsx";
import { undeterminedText } from "./check-text.ts";

/** Whether keys are saved whose service gave no answer; an address that is refused waits for the person instead. */
export function isUnanswered({ binding }: Service): boolean {
  const check = binding.saved?.check;
  return check?.status === "undetermined" && check.code !== "blocked_address";
}

/** Saved keys whose service has not answered yet: they are asked again by themselves. */
export function PendingChecks() {
  const { services } = useSettings();
  return services.filter(isUnanswered).map((service) => <PendingCheck key={service.id} service={service} />);
}

function PendingCheck({ service }: { readonly service: Service }) {
  const { workOf, recheck } = useKeyWork();
  const { saved } = service.binding;
  if (saved?.check.status !== "undetermined") return null;
  return (
    <Notice tone="plain" icon="clock" title={undeterminedText(saved.check, service.label)}>
      {workOf(service.id).phase === "checking" ? (
        <p className="flex items-center gap-2">
          <Icon name="spinner" className="turning" />
          Asking {service.label} again…
        </p>
      ) : (
        <Retry key={saved.checkedAt} check={saved.check} onRetry={() => recheck(service)} />
      )}
    </Notice>
  );
}
