import { useEffect } from "react";

import { press, release } from "../../media/talk";
import type { TalkGroupId } from "../../protocol/generated/TalkGroupId";

/** The space bar is the key of this group, unless something else has the focus that wants it. */
export function useSpaceKey(group: TalkGroupId | null): void {
  useEffect(() => {
    if (group === null) return;
    let held = false;
    const down = (event: KeyboardEvent) => {
      if (event.code !== "Space" || event.repeat || wantsSpace(event.target)) return;
      event.preventDefault();
      held = true;
      void press(group);
    };
    const up = (event: KeyboardEvent) => {
      if (event.code !== "Space" || !held) return;
      event.preventDefault();
      held = false;
      void release();
    };
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
      if (held) void release();
    };
  }, [group]);
}

/** A field that is written in, or a button that is pressed by it. A key of a radio is pressed by it in its own way. */
function wantsSpace(target: EventTarget | null): boolean {
  if (!(target instanceof Element) || target.classList.contains("ptt")) return false;
  return target.closest("input, textarea, select, button, a, [role=button], [role=switch], [role=slider], [contenteditable=true]") !== null;
}
