import { Details } from "../ui/details.tsx";
import { Icon } from "../ui/icon.tsx";
import { Mono } from "../ui/prose.tsx";
import { FamilyFields } from "./family-fields.tsx";
import { type FieldListProps, OneField } from "./one-field.tsx";
import { fieldOf } from "./services.ts";

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
        {names.length === 1 ? "is a random value" : "are random values"} that you do not need to type. We make
        new ones for you, and you will find them in the file that you download.
      </p>
    </div>
  );
}
