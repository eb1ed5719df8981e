import { Details } from "../ui/details.tsx";
import { Icon } from "../ui/icon.tsx";
import { Mono } from "../ui/prose.tsx";
import type { Draft, FieldProblem } from "./check-draft.ts";
import { FamilyFields } from "./family-fields.tsx";
import { fieldId } from "./field-id.ts";
import { KeyField } from "./key-field.tsx";
import { fieldOf, type Service, type Variable } from "./services.ts";

export type FieldListProps = {
  readonly service: Service;
  readonly draft: Draft;
  readonly problems: readonly FieldProblem[];
  readonly locked: boolean;
  readonly onChange: (name: string, value: string) => void;
  readonly onPasteText: (text: string, into: string) => boolean;
};

/** The fields of a service: what is needed first, the rest folded away until something is in it. */
export function FieldList(props: FieldListProps) {
  const { service, draft, problems } = props;
  const folded = [...service.extra, ...service.families];
  const concerned = (name: string) => service.needed.every((variable) => variable.name !== name);
  const inUse =
    Object.entries(draft).some(([name, value]) => value !== "" && concerned(name)) ||
    problems.some(({ name }) => concerned(name) && fieldOf(service, name) !== undefined);
  return (
    <div className="space-y-5">
      {service.needed.map((variable) => (
        <OneField key={variable.name} {...props} name={variable.name} variable={variable} />
      ))}
      {folded.length > 0 && (
        <Details label={`More settings (${folded.length}, all optional)`} forced={inUse}>
          <div className="space-y-5">
            {service.extra.map((variable) => (
              <OneField key={variable.name} {...props} name={variable.name} variable={variable} />
            ))}
            {service.families.map((family) => (
              <FamilyFields key={family.name} {...props} family={family} />
            ))}
          </div>
        </Details>
      )}
      {service.generated.length > 0 && <GeneratedNote names={service.generated.map(({ name }) => name)} />}
    </div>
  );
}

export function OneField({
  service,
  draft,
  problems,
  locked,
  onChange,
  onPasteText,
  name,
  variable,
}: FieldListProps & { readonly name: string; readonly variable: Variable }) {
  const problem = problems.find((found) => found.name === name);
  const preset = variable.own?.kind === "default" ? variable.own.value : "";
  return (
    <KeyField
      id={fieldId(service.id, name)}
      name={name}
      variable={variable}
      value={draft[name] ?? preset}
      savedPreview={service.binding.saved?.fields.find((field) => field.name === name)?.preview}
      error={problem?.message}
      locked={locked}
      onChange={(value) => onChange(name, value)}
      onPasteText={onPasteText}
    />
  );
}

function GeneratedNote({ names }: { readonly names: readonly string[] }) {
  return (
    <div className="flex gap-3 rounded-card bg-sunken p-4 text-ink-2">
      <Icon name="key" className="mt-1" />
      <p className="min-w-0">
        {names.map((name, place) => (
          <span key={name}>
            {place > 0 && (place === names.length - 1 ? " and " : ", ")}
            <Mono>{name}</Mono>
          </span>
        ))}{" "}
        {names.length === 1 ? "is a random value" : "are random values"} that nobody has to type. We make new
        ones for you, and you find them in the file you download.
      </p>
    </div>
  );
}
