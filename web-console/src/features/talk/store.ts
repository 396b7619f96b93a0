import { create } from "zustand";

import type { TalkGroupId } from "../../protocol/generated/TalkGroupId";

type TalkView = {
  /** Whose key the space bar, and the phone's large key, is. */
  chosen: TalkGroupId | null;
  /** The space bar speaks. */
  space: boolean;
  /** The phone's page is the radio. */
  page: boolean;
};

const SPACE_KEY = "liandong.talk.space";

/** What the user looks at; groups and floors are in the replica of talk. */
export const useTalkView = create<TalkView>(() => ({
  chosen: null,
  space: localStorage.getItem(SPACE_KEY) !== "off",
  page: false,
}));

export function choose(chosen: TalkGroupId): void {
  useTalkView.setState({ chosen });
}

export function showRadio(page: boolean): void {
  useTalkView.setState({ page });
}

export function allowSpace(space: boolean): void {
  useTalkView.setState({ space });
  localStorage.setItem(SPACE_KEY, space ? "on" : "off");
}
