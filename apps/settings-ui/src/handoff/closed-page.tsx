import type { SettingsView } from "@keyloan/contract";
import type { ReactNode } from "react";
import { Frame } from "../shell/frame.tsx";
import type { ClosedReason } from "../state/open-page.ts";
import { Button } from "../ui/button.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { Moment } from "../ui/time.tsx";

type Words = { readonly title: string; readonly what: string; readonly next: ReactNode };

const newLink =
  "Go back to the tool that built your app and ask it for a new link. What you saved is kept as long as the app is.";

const words: Readonly<Record<ClosedReason, Words>> = {
  no_link: {
    title: "Open your link to begin",
    what: "This page belongs to one app, and only a link from the tool that built it opens it.",
    next: "Go to that tool and open the link it gives you. It works once, so use a fresh one.",
  },
  link_broken: {
    title: "This link is not whole",
    what: "A part of it is missing. That happens when a long link is cut at the end of a line.",
    next: "Copy the whole link again and open it. If it still does not work, ask for a new one.",
  },
  link_used: {
    title: "This link was opened before",
    what: "For your safety a link opens this page once, and this one was used already.",
    next: `If that was you: ${newLink.charAt(0).toLowerCase()}${newLink.slice(1)} If it was not you, tell the people who sent it: somebody else may have your link.`,
  },
  link_expired: {
    title: "This link has expired",
    what: "Links wait only for some days, and a newer link ends an older one.",
    next: newLink,
  },
  session_expired: {
    title: "Your visit has ended",
    what: "For your safety this page closes after an hour without use. What you typed and did not save is forgotten.",
    next: newLink,
  },
  left: {
    title: "You have left this page",
    what: "Nobody can open it again from this browser. What you saved is kept.",
    next: "You can close this tab. To come back, ask the tool that built your app for a new link.",
  },
  build_closed: {
    title: "This app has been closed",
    what: "The people who lent the keys have ended it, and with it everything that was saved here.",
    next: "Ask them whether it can be opened again. Your own accounts at the services are not touched.",
  },
};

/** A page that has nothing to show but why, and the next step. */
export function ClosedPage({
  reason,
  other,
  onContinue,
}: {
  readonly reason: ClosedReason;
  /** A session that is still open in this browser, of this app or of another. */
  readonly other?: SettingsView | undefined;
  readonly onContinue: () => void;
}) {
  const { title, what, next } = words[reason];
  return (
    <Frame>
      <div className="space-y-6">
        <PageHeading lead={<p>{what}</p>}>{title}</PageHeading>
        {other !== undefined && (
          <Notice
            tone="good"
            title={`You still have “${other.build.name}” open`}
            actions={
              <Button look="primary" onClick={onContinue}>
                Continue with {other.build.name}
              </Button>
            }
          >
            <p>
              This browser opened a link before, and that visit lasts until{" "}
              <Moment at={other.session.expiresAt} />.
            </p>
          </Notice>
        )}
        <Notice tone="plain" icon="arrow" title="What to do next">
          <p>{next}</p>
        </Notice>
      </div>
    </Frame>
  );
}
