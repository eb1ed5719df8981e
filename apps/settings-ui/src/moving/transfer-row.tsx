import type { MovableView } from "@keyloan/contract";
import { useId } from "react";
import type { Service } from "../keys/services.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { fractionOf, stateText } from "./moving-text.ts";
import { isMoving } from "./use-transfers.ts";

/** One service's data: what it is, and how far it is moved. */
export function TransferRow({
  service,
  movable,
}: {
  readonly service: Service;
  readonly movable: MovableView;
}) {
  const label = useId();
  const { transfer } = movable;
  const [icon, color] = lookOf(movable);
  const moving = isMoving(movable);
  const text = stateText(movable);
  return (
    <li className="flex gap-3 px-4 py-3 sm:px-5">
      <Icon name={icon} className={`mt-0.5 size-5 ${color} ${icon === "spinner" ? "turning" : ""}`} />
      <div className="min-w-0 flex-1">
        <p id={label} className="font-medium">
          {service.label}
        </p>
        {/* Room for the longest line, so that nothing jumps as it counts. */}
        <p className="min-h-6 text-sm text-ink-2 break-words tabular-nums">{text}</p>
        {moving && transfer !== undefined && !transfer.tidying && (
          <progress
            className="bar mt-2"
            aria-labelledby={label}
            aria-valuetext={text}
            max={1}
            value={fractionOf(transfer)}
          />
        )}
      </div>
    </li>
  );
}

function lookOf(movable: MovableView): readonly [IconName, string] {
  if (isMoving(movable)) return ["spinner", "text-ink-3"];
  switch (movable.transfer?.state) {
    case "copied":
    case "switched":
      return ["check", "text-good"];
    case "failed":
      return ["alert", "text-warn"];
    default:
      return [movable.kind === "database" ? "database" : "files", "text-ink-3"];
  }
}
