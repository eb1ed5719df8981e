import { KnownBuilds } from "../person/known-builds.tsx";
import { RecoveryForm } from "../person/recovery-form.tsx";
import { Frame } from "../shell/frame.tsx";
import type { Closed } from "../state/closed.ts";
import type { OpenPage } from "../state/open-page.ts";
import { Button } from "../ui/button.tsx";
import { Details } from "../ui/details.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { Moment } from "../ui/time.tsx";
import { closedWords } from "./closed-words.ts";

/** A page that has nothing to show but why, and the ways on. */
export function ClosedPage({
  closed: { reason, known, other },
  openBuild,
  openRecovery,
}: {
  readonly closed: Closed;
} & Pick<OpenPage, "openBuild" | "openRecovery">) {
  const { title, what, next, reopens, recovery } = closedWords[reason];
  const knows = known.some(({ replaced }) => replaced === undefined);
  return (
    <Frame>
      <div className="space-y-6">
        <PageHeading lead={<p>{what}</p>}>{title}</PageHeading>
        {other !== undefined && (
          <Notice
            tone="good"
            title={`You still have “${other.build.name}” open`}
            actions={
              <Button look="primary" onClick={() => openBuild(other.build.id)}>
                Continue with {other.build.name}
              </Button>
            }
          >
            <p>
              This browser opened a link earlier, and that visit lasts until{" "}
              <Moment at={other.session.expiresAt} />.
            </p>
          </Notice>
        )}
        {knows && <h2 className="text-lg font-semibold">This browser can still open</h2>}
        <KnownBuilds builds={known} onOpen={openBuild} />
        {recovery === "first" && (
          <section className="rounded-card border border-line bg-surface p-4 sm:p-5">
            <RecoveryForm onOpen={openRecovery} />
          </section>
        )}
        {next !== undefined && !((knows || other !== undefined) && reopens === true) && (
          <Notice
            tone="plain"
            icon="arrow"
            title="What to do next"
            actions={
              reopens === true ? (
                <a className="link" href="/settings">
                  Open the settings page
                </a>
              ) : undefined
            }
          >
            <p>{next}</p>
          </Notice>
        )}
        {recovery === "folded" && (
          <Details label="I have a recovery code">
            <RecoveryForm onOpen={openRecovery} />
          </Details>
        )}
      </div>
    </Frame>
  );
}
