import { idPattern } from "@keyloan/contract";
import { nameBuild } from "../api/request.ts";

const parameter = "build";

/** The build that the address names, which is how a reload and a second tab know theirs. */
export function readBuildInAddress(): string | undefined {
  const id = new URLSearchParams(location.search).get(parameter) ?? "";
  return idPattern("build").test(id) ? id : undefined;
}

/** Makes a build the one that this tab is about: in its address and in every call. */
export function showBuild(id: string): void {
  nameBuild(id);
  // Another app's step says nothing of this one's.
  const step = readBuildInAddress() === id || readBuildInAddress() === undefined ? location.hash : "";
  history.replaceState(null, "", `${location.pathname}?${new URLSearchParams({ [parameter]: id })}${step}`);
}
