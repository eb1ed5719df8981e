import { Frame } from "../shell/frame.tsx";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { PageHeading } from "../ui/page-heading.tsx";

/** A link's page before it is used: nothing is sent until the button is pressed. */
export function OpenLinkPage({ onOpen }: { readonly onOpen: () => void }) {
  return (
    <Frame>
      <div className="space-y-6">
        <PageHeading
          lead={
            <p>
              The tool that built your app sent you this link. It opens the app’s keys: those that were lent
              to it, and your own as soon as you add them.
            </p>
          }
        >
          Your app’s settings are ready
        </PageHeading>
        <Button look="primary" onClick={onOpen}>
          Open my settings
          <Icon name="arrow" />
        </Button>
        <p className="flex gap-2 text-sm text-ink-3">
          <Icon name="lock" className="mt-0.5" />
          The link works once, and only when you press the button. Until then nothing is sent.
        </p>
      </div>
    </Frame>
  );
}
