import { createStore } from "zustand/vanilla";

import type { FloorStanding } from "./generated/FloorStanding";
import type { GroupFloor } from "./generated/GroupFloor";
import type { GroupListeners } from "./generated/GroupListeners";
import type { Talk } from "./generated/Talk";
import type { TalkGroup } from "./generated/TalkGroup";
import type { TalkGroupId } from "./generated/TalkGroupId";
import type { TalkNews } from "./generated/TalkNews";

/** What is known of one group, and how this client stands in it. */
export type KnownGroup = {
  group: TalkGroup;
  floor: GroupFloor;
  listeners: GroupListeners;
  /** The newest last. */
  talks: readonly Talk[];
  standing: FloorStanding;
};

export type TalkState = ReadonlyMap<TalkGroupId, KnownGroup>;

/** As many as the server keeps. */
const MAX_TALKS = 20;
const SILENT: FloorStanding = { type: "silent", cause: null };

export const talkStore = createStore<{ groups: TalkState }>(() => ({ groups: new Map() }));

function known(group: TalkGroup): KnownGroup {
  return {
    group,
    floor: { group: group.id, holder: null, queue: [] },
    listeners: { group: group.id, count: 0, names: [] },
    talks: [],
    standing: SILENT,
  };
}

/** Pure; unknown groups are passed over, for what is said of them belongs to a group that is gone. */
export function applyNews(groups: TalkState, news: TalkNews): TalkState {
  switch (news.type) {
    case "all":
      return new Map(news.groups.map((group) => [group.id, known(group)]));
    case "group":
      return put(groups, news.group.id, { ...(groups.get(news.group.id) ?? known(news.group)), group: news.group });
    case "gone": {
      const left = new Map(groups);
      left.delete(news.group);
      return left;
    }
    case "floor":
      return change(groups, news.floor.group, { floor: news.floor });
    case "listeners":
      return change(groups, news.listeners.group, { listeners: news.listeners });
    case "standing":
      return change(groups, news.group, { standing: news.standing });
    case "spoke": {
      const talks = [...(groups.get(news.group)?.talks ?? []), ...news.talks].slice(-MAX_TALKS);
      return change(groups, news.group, { talks });
    }
    case "mediaLost":
    case "speechRate":
      return groups;
    default:
      news satisfies never;
      return groups;
  }
}

function change(groups: TalkState, id: TalkGroupId, part: Partial<KnownGroup>): TalkState {
  const before = groups.get(id);
  return before === undefined ? groups : put(groups, id, { ...before, ...part });
}

function put(groups: TalkState, id: TalkGroupId, group: KnownGroup): TalkState {
  return new Map(groups).set(id, group);
}

const hearers = new Set<(news: TalkNews) => void>();

/** Told after the store has it. */
export function onTalkNews(hearer: (news: TalkNews) => void): () => void {
  hearers.add(hearer);
  return () => hearers.delete(hearer);
}

export function hearTalk(news: TalkNews): void {
  talkStore.setState(({ groups }) => ({ groups: applyNews(groups, news) }));
  for (const hearer of hearers) hearer(news);
}

/** Another account signs in. */
export function forgetTalk(): void {
  talkStore.setState({ groups: new Map() });
}
