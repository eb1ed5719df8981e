import { useState } from "react";
import { Icon, type IconName } from "../ui/icon.tsx";

/** Reads the clipboard, which the browser may ask the person about. */
export function PasteButton(props: {
  readonly label: string;
  readonly onText: (text: string) => void;
  readonly onRefused: (note: string) => void;
}) {
  const paste = async () => {
    try {
      props.onText(await navigator.clipboard.readText());
    } catch {
      props.onRefused("Your browser does not let us read the clipboard: click in the field and paste there.");
    }
  };
  return <FieldButton icon="paste" label={`Paste into ${props.label}`} onClick={paste} />;
}

export function CopyButton({ label, value }: { readonly label: string; readonly value: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <FieldButton
      icon={copied ? "check" : "copy"}
      label={copied ? `Copied ${label}` : `Copy ${label}`}
      onClick={copy}
    />
  );
}

/** A sign at the end of a field, with its name for who cannot see it. */
export function FieldButton(props: {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
}) {
  return (
    <button
      type="button"
      aria-label={props.label}
      title={props.label}
      onClick={props.onClick}
      className="grid w-10 shrink-0 place-items-center text-ink-3 transition-colors hover:bg-sunken hover:text-ink focus-visible:-outline-offset-2"
    >
      <Icon name={props.icon} className="size-4.5" />
    </button>
  );
}
