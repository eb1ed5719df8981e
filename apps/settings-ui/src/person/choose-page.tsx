import { Frame } from "../shell/frame.tsx";
import type { KnownBuild } from "../state/closed.ts";
import type { OpenPage } from "../state/open-page.ts";
import { Details } from "../ui/details.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { KnownBuilds } from "./known-builds.tsx";
import { RecoveryForm } from "./recovery-form.tsx";

/** Without a link, in a browser that is known for several apps, or for one that somebody else took over. */
export function ChoosePage({
  known,
  openBuild,
  openRecovery,
}: { readonly known: readonly KnownBuild[] } & Pick<OpenPage, "openBuild" | "openRecovery">) {
  const some = known.some(({ replaced }) => replaced === undefined);
  return (
    <Frame>
      <div className="space-y-6">
        <PageHeading
          lead={
            <p>
              {some
                ? "You saved keys for these apps in this browser, so it opens them without a link."
                : "Somebody else has started over with the apps you had saved keys for."}
            </p>
          }
        >
          {some ? "Which app do you want to open?" : "This browser cannot open any app any more"}
        </PageHeading>
        <KnownBuilds builds={known} onOpen={openBuild} />
        <Details label="I have a recovery code">
          <RecoveryForm onOpen={openRecovery} />
        </Details>
      </div>
    </Frame>
  );
}
