import { useMemo } from "react";
import { useStore } from "zustand";

import { talkMediaStore } from "../../media/talk";
import type { GroupPriority } from "../../protocol/generated/GroupPriority";
import type { TalkGroupId } from "../../protocol/generated/TalkGroupId";
import { type KnownGroup, type TalkState, talkStore } from "../../protocol/talk";

const WEIGHT: Record<GroupPriority, number> = { command: 0, raised: 1, routine: 2 };

/** Alarms first, then by importance, then by name. */
export function listed(groups: TalkState): KnownGroup[] {
  return [...groups.values()].sort((a, b) => {
    const alarm = Math.min(1, b.group.sos.length) - Math.min(1, a.group.sos.length);
    if (alarm !== 0) return alarm;
    const weight = WEIGHT[a.group.plan.priority] - WEIGHT[b.group.plan.priority];
    return weight !== 0 ? weight : a.group.plan.name.localeCompare(b.group.plan.name, "zh-CN");
  });
}

export function useGroups(): KnownGroup[] {
  const groups = useStore(talkStore, (state) => state.groups);
  return useMemo(() => listed(groups), [groups]);
}

export function useEar(group: TalkGroupId) {
  return useStore(talkMediaStore, (media) => media.ears.get(group));
}
