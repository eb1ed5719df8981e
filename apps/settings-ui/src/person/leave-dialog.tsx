import { useState } from "react";
import { endSession } from "../api/persons.ts";
import type { Failure } from "../api/request.ts";
import { useSettings } from "../state/settings.tsx";
import { Button, type ButtonProps } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { KeptUntil } from "./kept-until.tsx";

/** Ends the visit; whom this browser is known as is asked first, because it lasts longer than the visit. */
export function Leave({ look }: Pick<ButtonProps, "look">) {
  const { settings, settle, close } = useSettings();
  const [forget, setForget] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const leave = async () => {
    try {
      await endSession(forget);
      close(forget ? "forgotten" : "left");
    } catch (error) {
      setFailure(await settle(error));
    }
  };
  const trigger: ButtonProps = {
    children: "Leave this page",
    ...(look === undefined ? {} : { look }),
    // Its words stand in line with what is above them.
    ...(look === "quiet" ? { className: "-mx-4" } : {}),
  };
  return (
    <>
      {failure !== undefined && <FailureNotice failure={failure} />}
      {settings.person.standing === "you" ? (
        <Ask trigger={trigger} forget={forget} onForget={setForget} onLeave={leave} />
      ) : (
        <Button {...trigger} onClick={leave} />
      )}
    </>
  );
}

function Ask({
  trigger,
  forget,
  onForget,
  onLeave,
}: {
  readonly trigger: ButtonProps;
  readonly forget: boolean;
  readonly onForget: (forget: boolean) => void;
  readonly onLeave: () => void;
}) {
  return (
    <ConfirmDialog
      trigger={trigger}
      title="Leave this page?"
      confirm="Leave"
      cancel="Stay"
      onConfirm={onLeave}
    >
      <p>
        Everything you saved is kept <KeptUntil />. Anything you typed and did not save is lost.
      </p>
      <label className="flex gap-3">
        <input
          type="checkbox"
          checked={forget}
          onChange={(event) => onForget(event.target.checked)}
          className="mt-1 size-4 shrink-0 accent-accent"
        />
        <span className="min-w-0">
          <span className="block font-medium text-ink">Forget me on this browser</span>
          <span className="block text-sm">
            For a computer that other people use too. After that, only your recovery code, or another browser
            that knows you, lets you in. Pages of this app that you have open elsewhere end too.
          </span>
        </span>
      </label>
    </ConfirmDialog>
  );
}
