import { create } from "zustand";

import type { ParticipantId } from "../../protocol/generated/ParticipantId";

type WallView = {
  pinned: ReadonlySet<ParticipantId>;
  /** The one that is large. */
  spotlight: ParticipantId | null;
  page: number;
};

const FRESH: WallView = { pinned: new Set(), spotlight: null, page: 0 };

/** How the user has arranged the wall of the present call. */
export const useWallView = create<WallView>(() => FRESH);

const set = useWallView.setState;

export function resetWall(): void {
  set(FRESH, true);
}

export function togglePin(participant: ParticipantId): void {
  set(({ pinned }) => {
    const next = new Set(pinned);
    if (!next.delete(participant)) next.add(participant);
    return { pinned: next };
  });
}

export function toggleSpotlight(participant: ParticipantId): void {
  set(({ spotlight }) => ({ spotlight: spotlight === participant ? null : participant }));
}

export function turnPage(page: number): void {
  set({ page });
}
