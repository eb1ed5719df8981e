import type { Failure } from "../api/request.ts";
import { Frame } from "../shell/frame.tsx";
import { Button } from "../ui/button.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { Skeleton } from "../ui/skeleton.tsx";

/** Before the first answer: the page's outline, or what went wrong and a way to try again. */
export function OpeningPage({
  failure,
  onRetry,
}: {
  readonly failure?: Failure;
  readonly onRetry?: () => void;
}) {
  return (
    <Frame>
      {failure === undefined ? (
        <Skeleton label="Opening your app’s settings…" rows={4} />
      ) : (
        <div className="space-y-6">
          <PageHeading>We could not open this page</PageHeading>
          <FailureNotice
            failure={{ ...failure, ...(isOnTheWay(failure) ? { remedy: keptLink } : {}) }}
            actions={
              <Button look="primary" onClick={onRetry}>
                Try again
              </Button>
            }
          />
        </div>
      )}
    </Frame>
  );
}

const keptLink = "Try again: this page still has your link. If that does not help, ask for a new one.";

/** What the broker itself answers comes with its own remedy. */
function isOnTheWay({ code }: Failure): boolean {
  return ["offline", "unreachable", "too_slow", "unexpected", "internal"].includes(code);
}
