import { AlertDialog } from "@base-ui/react/alert-dialog";
import { type ReactNode, useState } from "react";
import { Button, type ButtonProps } from "./button.tsx";

/** Asks once more before something that cannot be taken back, or not for long. */
export function ConfirmDialog({
  trigger,
  title,
  children,
  confirm,
  cancel = "Not yet",
  look = "primary",
  onConfirm,
}: {
  readonly trigger: ButtonProps;
  readonly title: string;
  readonly children: ReactNode;
  readonly confirm: string;
  readonly cancel?: string;
  readonly look?: "primary" | "danger";
  readonly onConfirm: () => void;
}) {
  const [open, setOpen] = useState(false);
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger
        render={<Button {...trigger} />}
        disabled={trigger.off === true || trigger.busy === true}
      />
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fading fixed inset-0 bg-veil" />
        <AlertDialog.Popup className="fading fixed top-1/2 left-1/2 max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-120 -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-card border border-line bg-surface p-6 shadow-lg">
          <AlertDialog.Title className="text-xl font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description render={<div className="mt-3 space-y-3 text-ink-2">{children}</div>} />
          <div className="mt-6 flex flex-wrap-reverse justify-end gap-3">
            <AlertDialog.Close render={<Button>{cancel}</Button>} />
            <Button
              look={look}
              onClick={() => {
                setOpen(false);
                onConfirm();
              }}
            >
              {confirm}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
