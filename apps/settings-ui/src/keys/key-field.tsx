import { type ClipboardEvent, useId, useState } from "react";
import { prepareSealing } from "../api/seal.ts";
import { classes } from "../ui/classes.ts";
import { Icon } from "../ui/icon.tsx";
import { OuterLink, Prose } from "../ui/prose.tsx";
import { cleanValue } from "./clean-value.ts";
import { CopyButton, FieldButton, PasteButton } from "./field-buttons.tsx";
import type { Variable } from "./services.ts";

export type KeyFieldProps = {
  readonly id: string;
  readonly name: string;
  readonly variable: Variable;
  readonly value: string;
  readonly savedPreview: string | undefined;
  readonly error: string | undefined;
  readonly locked: boolean;
  readonly onChange: (value: string) => void;
  /** Text of several lines goes to all fields of the page. `true` when it was taken. */
  readonly onPasteText: (text: string, into: string) => boolean;
};

/** One value to type: what it is, what it looks like, the field, and room for what there is to say of it. */
export function KeyField(props: KeyFieldProps) {
  const { id, name, variable, value, savedPreview, error, locked, onChange, onPasteText } = props;
  const [shown, setShown] = useState(false);
  const [note, setNote] = useState<string>();
  const messageId = `${id}-message`;
  const helpId = useId();

  const take = (text: string, place = { start: 0, end: value.length }) => {
    const cleaned = cleanValue(text, variable, [name, ...(variable.aliases ?? [])]);
    onChange(value.slice(0, place.start) + cleaned.value + value.slice(place.end));
    setNote(cleaned.repair);
  };
  const onPaste = (event: ClipboardEvent<HTMLInputElement>) => {
    if (locked) return;
    const text = event.clipboardData.getData("text");
    const { selectionStart, selectionEnd } = event.currentTarget;
    event.preventDefault();
    if (!onPasteText(text, name))
      take(text, { start: selectionStart ?? 0, end: selectionEnd ?? value.length });
  };
  return (
    <div>
      <label htmlFor={id} className="flex flex-wrap items-baseline gap-x-2 font-semibold">
        {variable.label}
        {variable.optional === true && <span className="text-sm font-normal text-ink-3">optional</span>}
      </label>
      <div id={helpId} className="mt-0.5 space-y-0.5 text-sm text-ink-2">
        {variable.help !== undefined && (
          <p>
            <Prose text={variable.help} />
            {variable.helpUrl !== undefined && (
              <>
                {" "}
                <OuterLink href={variable.helpUrl}>Find it</OuterLink>
              </>
            )}
          </p>
        )}
        {variable.example !== undefined && (
          <p className="text-ink-3">
            Looks like <span className="font-mono break-all text-ink-2">{variable.example}</span>
          </p>
        )}
      </div>
      <div
        className={classes(
          "mt-1.5 flex items-stretch overflow-hidden rounded-control border bg-surface focus-within:outline-2 focus-within:outline-offset-1 focus-within:outline-accent",
          error === undefined ? "border-edge" : "border-bad",
          locked && "bg-sunken",
        )}
      >
        <input
          id={id}
          name={name}
          type={variable.secret && !shown ? "password" : "text"}
          value={value}
          readOnly={locked}
          onFocus={prepareSealing}
          onChange={(event) => {
            onChange(event.target.value);
            setNote(undefined);
          }}
          onPaste={onPaste}
          required={variable.optional !== true}
          aria-invalid={error === undefined ? undefined : true}
          aria-describedby={`${helpId} ${messageId}`}
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          data-1p-ignore
          data-lpignore="true"
          className="min-h-10 w-full min-w-0 flex-1 bg-transparent px-3 font-mono text-sm outline-none"
        />
        {variable.secret && value !== "" && (
          <FieldButton
            icon={shown ? "eyeOff" : "eye"}
            label={`${shown ? "Hide" : "Show"} ${variable.label}`}
            onClick={() => setShown(!shown)}
          />
        )}
        {value === "" ? (
          <PasteButton
            label={variable.label}
            onText={(text) => onPasteText(text, name) || take(text)}
            onRefused={setNote}
          />
        ) : (
          <CopyButton label={variable.label} value={value} />
        )}
      </div>
      <FieldMessage
        id={messageId}
        error={error}
        note={note ?? (value === "" && savedPreview !== undefined ? `Saved: ${savedPreview}` : undefined)}
        secret={variable.secret}
      />
    </div>
  );
}

function FieldMessage(props: {
  readonly id: string;
  readonly error: string | undefined;
  readonly note: string | undefined;
  readonly secret: boolean;
}) {
  const { id, error, note, secret } = props;
  return (
    <div id={id} className="mt-1 min-h-5 text-sm text-ink-3">
      {error !== undefined ? (
        <p className="flex gap-1.5 text-bad">
          <Icon name="alert" className="mt-0.5" />
          <span className="min-w-0 break-words">
            <span className="sr-only">Error: </span>
            <Prose text={error} />
          </span>
        </p>
      ) : note !== undefined ? (
        <p>{note}</p>
      ) : (
        secret && (
          <p className="flex gap-1.5">
            <Icon name="lock" className="mt-0.5" />
            Sealed in your browser before it is sent; opened only to check it and to give it to your app.
          </p>
        )
      )}
    </div>
  );
}
